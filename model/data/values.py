"""Image values of any type to 8 bits, over the range that they have by declaration or by sight."""

from __future__ import annotations

import numpy as np

from model.data.limits import DataError, check_bytes
from model.data.raw import shown
from model.data.scaling import LEVELS, InputScaling

SLACK = 1e-6
"""Relative: what rounding of floats may be beyond a range."""


def as_images(source: object, values: np.ndarray) -> tuple[np.ndarray, str]:
    """(N, H, W, C) of values (N, H, W[, C]) or (N, C, H, W), and a note. Raises DataError."""
    if values.ndim == 3:
        return values[..., None], ""
    if values.ndim != 4:
        raise DataError(
            f"{source}: values of shape {values.shape} must be rows (N, features) or images "
            "(N, height, width[, channels])"
        )
    if values.shape[1] in (1, 3) and values.shape[3] > 4:
        return values.transpose(0, 2, 3, 1), "channels stood before height and width"
    return values, ""


def to_bytes(
    source: object, train: np.ndarray, test: np.ndarray, declared: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray, InputScaling | None, str]:
    """(training, test, scaling, note): uint8 of both parts by one scale; None where it is 1.

    Raises DataError for values that are not finite, or all the same.
    """
    parts = train, test
    kinds = {part.dtype.kind for part in parts}
    if not kinds <= set("biuf"):
        raise DataError(f"{source}: values of type {train.dtype} must be numbers")
    ranges = [_seen(source, part) for part in parts]
    low, high = min(pair[0] for pair in ranges), max(pair[1] for pair in ranges)
    if not low < high:
        raise DataError(f"{source}: all values are {low:g}; there is nothing to learn from")
    if declared and (low < declared[0] or high > declared[1]):
        raise DataError(
            f"{source}: values {low:g} to {high:g} are beyond the range "
            f"{declared[0]:g} to {declared[1]:g} that was declared"
        )
    (start, end), why = (declared, "declared") if declared else _range(train, *ranges[0])
    if (start, end) == (0.0, 255.0):
        if all(part.dtype == np.uint8 for part in parts):
            return train, test, None, ""
        if (low, high) < (0.0, 0.0) or high > LEVELS:
            raise DataError(_differ(source, ranges))
        note = "" if kinds <= set("iu") else f"{train.dtype} values 0 to 255 were rounded"
        out = [_converted(source, part, 0.0, 1.0) for part in parts]
        return out[0], out[1], None, note
    if why == "by sight" and _unlike(ranges):
        raise DataError(_differ(source, ranges))
    step = (end - start) / LEVELS
    note = f"{train.dtype} values {start:g} to {end:g} ({why}) became 0 to 255"
    used = (min(end, ranges[0][1]) - max(start, ranges[0][0])) / step
    if used < LEVELS / 8:
        note += f", of which only {used + 1:.0f} steps are used: declare the range that is meant"
    if low < start - SLACK * (end - start) or high > end + SLACK * (end - start):
        note += "; test values beyond are clipped"
    out = [_converted(source, part, start, step) for part in parts]
    scaling = InputScaling((float(start),), (float(step),))
    return out[0], out[1], scaling, note


def _range(train: np.ndarray, low: float, high: float) -> tuple[tuple[float, float], str]:
    """The range of the training part's values, low to high, and how it is known."""
    kind, size = train.dtype.kind, train.dtype.itemsize
    if kind == "b":
        return (0.0, 1.0), "its type"
    if kind in "iu" and low >= 0 and high <= LEVELS:
        return (0.0, 255.0), "bytes"
    if (kind, size) == ("u", 2):
        return (0.0, 65535.0), "its type"
    if (kind, size) == ("i", 1):
        return (-128.0, 127.0), "its type"
    if kind == "f" and low >= 0 and high <= 1 + SLACK:
        return (0.0, 1.0), "by sight"
    if kind == "f" and low >= -1 - SLACK and high <= 1 + SLACK:
        return (-1.0, 1.0), "by sight"
    if kind == "f" and low >= 0 and high <= LEVELS * (1 + SLACK) and high > 2:
        return (0.0, 255.0), "by sight"
    return (low, high), "the training part's"


def _unlike(ranges: list[tuple[float, float]]) -> bool:
    """Whether test values go so far beyond training ones that they have another unit."""
    (low, high), (first, last) = ranges
    reach = 2 * max(abs(low), abs(high))
    return max(abs(first), abs(last)) > reach


def _differ(source: object, ranges: list[tuple[float, float]]) -> str:
    (low, high), (first, last) = ranges[0], ranges[-1]
    return (
        f"{source}: test values {first:g} to {last:g}, training values {low:g} to {high:g}; "
        "both parts must have one range"
    )


def _seen(source: object, values: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value; DataError where they are not finite."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(
            f"{source}: values {shown(values.shape[1:])} hold NaN or infinity; "
            "fill them, or leave these images out"
        )
    return low, high


def _converted(source: object, values: np.ndarray, start: float, step: float) -> np.ndarray:
    """uint8 of clip(round((values − start) / step)), in pieces so that no large copy is made."""
    check_bytes(source, values.size)
    out = np.empty(values.shape, np.uint8)
    scaling = InputScaling((start,), (step,))
    lot = max(1, (1 << 20) // max(1, values[0].size))
    for at in range(0, len(values), lot):
        out[at : at + lot] = scaling.apply(values[at : at + lot])
    return out
