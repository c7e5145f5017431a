"""Axes of a figure: from values to SVG positions, with ticks at round values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

MARGIN = 0.06
"""Part of an axis left free at either end."""


@dataclass(frozen=True)
class Axis:
    """A scale from `low` at position `start` to `high` at `end`; positions are SVG units.

    at_values: where the ticks go, instead of round values.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    label: str = ""
    at_values: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Position of `value`, rounded to a tenth of a unit."""
        part = (self._of(value) - self._of(self.low)) / (self._of(self.high) - self._of(self.low))
        return round(self.start + part * (self.end - self.start), 1)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """(position, text) at round values, three to seven of them where that is possible."""
        values = self.at_values or (self._decades() if self.log else self._even())
        return [(self.at(v), short(v)) for v in values if v in self]

    def _of(self, value: float) -> float:
        return log10(value) if self.log else value

    def _decades(self) -> list[float]:
        """Powers of ten where those are enough, finer steps, and even ones where it is narrow."""
        first, last = floor(log10(self.low)), ceil(log10(self.high))
        for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
            values = [float(f"{s}e{d}") for d in range(first, last + 1) for s in steps]
            if 3 <= sum(v in self for v in values) <= 7:
                return values
        return self._even()

    def _even(self) -> list[float]:
        rough = (self.high - self.low) / 6.5
        unit = 10.0 ** floor(log10(rough))
        step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough)
        first, count = ceil(self.low / step), int((self.high - self.low) / step) + 2
        return [round((first + i) * step, 10) for i in range(count)]


def axis(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    log: bool = False,
    least: float | None = None,
    most: float | None = None,
    label: str = "",
) -> Axis:
    """An axis around `values` with a margin, cut at `least` and `most`. Log axes skip values ≤ 0.

    A single value, or none, still gets an axis of some length.
    """
    kept = [v for v in values if not log or v > 0] or [1.0, 10.0]
    low, high = min(kept), max(kept)
    if log:
        pad = max((high / low) ** MARGIN, 1.08)
        return Axis(low / pad, high * pad, start, end, True, label)
    pad = max((high - low) * MARGIN, abs(high) * 0.005, 1e-9)
    low = low - pad if least is None else max(low - pad, least)
    high = high + pad if most is None else min(high + pad, most)
    return Axis(low, high, start, end, False, label)


def short(value: float) -> str:
    """A tick's text: 950, 1.5k, 20k, 3M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{name}".replace("-", "−")
    return f"{value:g}".replace("-", "−")
