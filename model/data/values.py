"""Image values of any type to 8 bits, over the range that they have by declaration or by sight."""

from __future__ import annotations

import numpy as np

from model.data.limits import DataError, check_bytes
from model.data.raw import shown
from model.data.scaling import LEVELS, InputScaling

SLACK = 1e-6
"""Relative: what rounding of floats may be beyond a range."""
UNLIKE = 4
"""Times as wide as another range, from which on it is of another unit."""
SEEN = "the training part's"


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
    if any(part.dtype.kind not in "biuf" for part in parts):
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
    (start, end), why = (declared, "declared") if declared else _common(source, parts, ranges)
    if (start, end) == (0.0, 255.0):
        if all(part.dtype == np.uint8 for part in parts):
            return train, test, None, ""
        out = [_converted(source, part, 0.0, 1.0) for part in parts]
        whole = all(np.array_equal(*pair) for pair in zip(out, parts, strict=True))
        return out[0], out[1], None, "" if whole else f"{train.dtype} values 0 to 255 were rounded"
    note = f"{train.dtype} values {start:g} to {end:g} ({why}) became 0 to 255"
    step = (end - start) / LEVELS
    used = (min(end, ranges[0][1]) - max(start, ranges[0][0])) / step
    if used < LEVELS / 8:
        note += f", of which only {used + 1:.0f} steps are used: declare the range that is meant"
    if low < start - SLACK * (end - start) or high > end + SLACK * (end - start):
        note += "; test values beyond are clipped"
    out = [_converted(source, part, start, step) for part in parts]
    return out[0], out[1], InputScaling((float(start),), (float(step),)), note


def _common(
    source: object, parts: tuple[np.ndarray, np.ndarray], ranges: list[tuple[float, float]]
) -> tuple[tuple[float, float], str]:
    """The range of the training part and how it is known; DataError where the test part has values
    of another unit, as 0 to 255 beside 0 to 1."""
    (train, why), (test, _) = (_range(*pair) for pair in zip(parts, ranges, strict=True))
    spans = train[1] - train[0], test[1] - test[0]
    if max(spans) > UNLIKE * min(spans) and (why != SEEN or spans[1] > spans[0]):
        raise DataError(
            f"{source}: test values {ranges[1][0]:g} to {ranges[1][1]:g}, training values "
            f"{ranges[0][0]:g} to {ranges[0][1]:g}; both parts must have one range"
        )
    return train, why


def _range(part: np.ndarray, seen: tuple[float, float]) -> tuple[tuple[float, float], str]:
    """The range that the values of a part have, by their type or by what is seen; and which."""
    (low, high), kind, size = seen, part.dtype.kind, part.dtype.itemsize
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
    return (low, high), SEEN


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
    lot = max(1, (1 << 18) // max(1, values[0].size))
    for at in range(0, len(values), lot):
        out[at : at + lot] = scaling.apply(values[at : at + lot])
    return out
