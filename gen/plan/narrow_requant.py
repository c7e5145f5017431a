"""Requantisers with smaller constants that compute the same function over a proven range.

y = clip((acc·m + b + half) >> shift, lo, hi) is a staircase. Over the sums that a channel can have,
another m, b and shift have the same steps if

    m·t + b ≥ k·2^shift      where y reaches k at t, and
    m·u + b < j·2^shift      where y is still below j at u.

For each m an interval of b is left, and an interval of m for which it is not empty. Integers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

FURTHER = 6
"""Shifts beyond the least possible at which fewer digits are looked for."""
Objective = Literal["width", "digits"]
"""What is to be small: the bits of all multipliers, or the signed digits of each."""


@dataclass(frozen=True)
class Scaled:
    """floor((acc·multiplier + offset) / 2^shift): of one channel, the half within the offset."""

    multiplier: int
    offset: int
    shift: int

    def __call__(self, acc: int) -> int:
        return (acc * self.multiplier + self.offset) >> self.shift

    def at(self, shift: int) -> Scaled:
        """The same function with a larger shift."""
        more = shift - self.shift
        return Scaled(self.multiplier << more, self.offset << more, shift)


def narrow(
    multipliers: Sequence[int],
    offsets: Sequence[int],
    shift: int,
    *,
    bounds: Sequence[tuple[int, int]],
    clip: tuple[int, int],
    objective: Objective = "width",
) -> tuple[list[int], list[int], int]:
    """Multipliers, offsets and the shift of a requantiser with equal results.

    bounds: least and largest sum of each channel. clip: ends of the results.
    """
    half = (1 << shift) >> 1
    channels = [
        _channel(Scaled(m, b + half, shift), ends, clip)
        for m, b, ends in zip(multipliers, offsets, bounds, strict=True)
    ]
    least = max(channel.least for channel in channels)
    if objective == "width":
        chosen = [channel.best(least) for channel in channels]
    else:
        chosen = [channel.fewest_digits(shift) for channel in channels]
        least = max(c.shift for c in chosen)
    same = [c.at(least) for c in chosen]
    half = (1 << least) >> 1
    return [c.multiplier for c in same], [c.offset - half for c in same], least


def digits(value: int) -> int:
    """Signed digits of a number, at least."""
    return (value ^ 3 * value).bit_count()


@dataclass(frozen=True)
class Staircase:
    """What a function must keep to: at `reach` (k, t) it is k at least, at `below` (j, u) less than
    j. negated: of −acc. given: one function that does, for acc."""

    reach: np.ndarray
    below: np.ndarray
    negated: bool
    given: Scaled

    @property
    def least(self) -> int:
        """The least shift at which there is such a function."""
        shifts = range(self.given.shift)
        return next((s for s in shifts if next(self.all(s), None)), self.given.shift)

    def best(self, shift: int) -> Scaled:
        """Of fewest digits with this shift, and of these the narrowest."""
        if shift == self.given.shift:
            return min([self.given, *self.all(shift)], key=_cost)
        return min(self.all(shift), key=_cost)

    def fewest_digits(self, most: int) -> Scaled:
        """Of fewest digits with a shift of `most` or less."""
        first = self.least
        shifts = range(first, min(first + FURTHER, most) + 1)
        return min((self.best(shift) for shift in shifts), key=_cost)

    def all(self, shift: int) -> Iterator[Scaled]:
        """All functions with this shift, one for each multiplier."""
        lo, hi = self._slopes(shift)
        for multiplier in range(lo, hi + 1):
            offset = self._offset(multiplier, shift)
            if offset is not None:
                yield Scaled(-multiplier if self.negated else multiplier, offset, shift)

    def _slopes(self, shift: int) -> tuple[int, int]:
        """Ends between which all multipliers lie that may do."""
        if not len(self.reach) or not len(self.below):
            return 0, 0
        k, t = (column[:, None] for column in self.reach.T)
        j, u = (column[None, :] for column in self.below.T)
        run, rise = t - u, k - j
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = rise / run
        lo, hi = slopes[run > 0].max(initial=0), slopes[run < 0].min(initial=2.0**40)
        unit = 1 << shift
        most = int(np.ceil(hi * unit)) if hi < 2.0**40 else int(np.floor(lo * unit)) + 1
        return int(np.floor(lo * unit)), most

    def _offset(self, multiplier: int, shift: int) -> int | None:
        """Of all that do, the one with most zeros below; None where none does."""
        unit = 1 << shift
        lo = [int(k) * unit - multiplier * int(t) for k, t in self.reach]
        hi = [int(j) * unit - multiplier * int(u) - 1 for j, u in self.below]
        if lo and hi:
            return roundest(max(lo), min(hi)) if max(lo) <= min(hi) else None
        return max(lo) if lo else min(hi) if hi else 0


def roundest(lo: int, hi: int) -> int:
    """The number from lo to hi that most powers of two divide."""
    if lo <= 0 <= hi:
        return 0
    places = (hi - lo).bit_length()
    while (hi >> places) << places < lo:
        places -= 1
    return (hi >> places) << places


def _cost(scaled: Scaled) -> tuple[int, int, int]:
    zeros = (scaled.offset & -scaled.offset).bit_length()
    return digits(scaled.multiplier), scaled.shift, -zeros


def _channel(given: Scaled, bounds: tuple[int, int], clip: tuple[int, int]) -> Staircase:
    negated = given.multiplier < 0
    lo, hi = (-bounds[1], -bounds[0]) if negated else bounds
    rising = replace(given, multiplier=abs(given.multiplier))
    first, last = (min(max(rising(end), clip[0]), clip[1]) for end in (lo, hi))
    steps = [(k, _reached(rising, k)) for k in range(first + 1, last + 1)]
    reach = ([(first, lo)] if first > clip[0] else []) + steps
    below = [(k, t - 1) for k, t in steps] + ([(last + 1, hi)] if last < clip[1] else [])
    return Staircase(_array(reach), _array(below), negated, given)


def _array(rows: Sequence[tuple[int, int]]) -> np.ndarray:
    return np.array(rows, np.int64).reshape(-1, 2)


def _reached(rising: Scaled, k: int) -> int:
    """The least acc with a result of k."""
    return -((rising.offset - (k << rising.shift)) // rising.multiplier)
