"""Features of tables to integers, by the training part alone, so that little is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.data.limits import DataError

LEVELS = 255
TAILS = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05)
"""Shares of the values on either side that the bulk of a feature leaves out."""
COLLISIONS = 0.02
"""Share of pairs of different values that may fall on one integer before the range is cut."""
DECIMALS = 6
TINY, LARGE = 1e-100, 1e100
"""A smaller spread of a feature is none; a larger value is damaged."""


@dataclass(frozen=True, eq=False)
class InputScaling:
    """How numbers become integers: clip(round((x − offset) / step), 0, 255) per feature.

    offset, step: (features,), chosen by the training part; of length 1 for images, whose values
    all have one scale.
    """

    offset: tuple[float, ...]
    step: tuple[float, ...]

    def apply(self, rows: object) -> np.ndarray:
        """uint8 of numbers (…, features), or of any shape where there is one scale.

        Raises DataError for other numbers of features, and for what is not finite.
        """
        try:
            numbers = np.asarray(rows, np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise DataError(f"rows: {error}; they must be numbers") from None
        count = len(self.offset)
        if count > 1 and numbers.shape[-1:] != (count,):
            raise DataError(f"rows of shape {numbers.shape} must have {count} features at the end")
        if not np.isfinite(numbers).all():
            raise DataError("rows: not all numbers are finite; fill or drop what is missing")
        with np.errstate(over="ignore"):
            scaled = (numbers - np.array(self.offset)) / np.array(self.step)
        ints: np.ndarray = np.clip(np.round(scaled), 0, LEVELS).astype(np.uint8)
        return ints


def fit(rows: np.ndarray) -> InputScaling:
    """The scaling for training rows (N, features), finite float64."""
    pairs = [_feature(column) for column in rows.T]
    return InputScaling(tuple(low for low, _ in pairs), tuple(step for _, step in pairs))


def _feature(column: np.ndarray) -> tuple[float, float]:
    """(offset, step) of one feature (N,): exact on a grid of at most 256 steps, else the bulk.

    Outliers are clipped where they would press all else on few integers: the widest of some ranges
    is taken under which few pairs of different values collide.
    """
    values, counts = np.unique(column, return_counts=True)
    low, high = float(values[0]), float(values[-1])
    if not high - low > TINY:
        return low, 1.0
    grid = _grid(values)
    if grid is not None and (steps := round((high - low) / grid)) <= LEVELS:
        return low, grid / (LEVELS // steps)
    ranges = [_range(column, low, high, tail) for tail in TAILS]
    lost = [_collisions(values, counts, *pair) for pair in ranges]
    good = [pair for pair, share in zip(ranges, lost, strict=True) if share <= COLLISIONS]
    start, end = good[0] if good else ranges[int(np.argmin(lost))]
    return start, (end - start) / LEVELS


def _grid(values: np.ndarray) -> float | None:
    """The largest decimal step on which all sorted `values` lie, counted from the first."""
    if len(values) > LEVELS + 1:
        return None
    for scale in (10.0**digits for digits in range(DECIMALS + 1)):
        whole = values * scale
        if np.abs(whole).max() > 2**52:
            return None
        near = np.round(whole)
        close = np.allclose(whole, near, rtol=1e-12, atol=1e-9 * max(1.0, np.abs(whole).max()))
        if close and (np.diff(near) > 0).all():
            return float(np.gcd.reduce((near - near[0]).astype(np.int64))) / scale
    return None


def _range(column: np.ndarray, low: float, high: float, tail: float) -> tuple[float, float]:
    """Of the bulk without `tail` on either side, widened by half on each, within low to high."""
    if tail == 0:
        return low, high
    first, last = (float(q) for q in np.quantile(column, (tail, 1 - tail)))
    margin = (last - first) / 2
    if not margin > 0:
        return low, high
    return max(low, first - margin), min(high, last + margin)


def _collisions(values: np.ndarray, counts: np.ndarray, low: float, high: float) -> float:
    """Share of pairs of rows whose values differ and become the same integer."""
    with np.errstate(over="ignore", invalid="ignore"):
        at = np.clip(np.nan_to_num((values - low) / (high - low)) * LEVELS, 0, LEVELS)
    bins = np.bincount(np.round(at).astype(np.int64), weights=counts).astype(np.float64)
    return float(((bins**2).sum() - (counts.astype(np.float64) ** 2).sum()) / counts.sum() ** 2)
