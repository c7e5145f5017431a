"""Axes of a figure: from values to SVG positions, with ticks at round values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal

MARGIN = 0.06
"""Part of an axis left free at either end."""
BEST = 99.9
"""Accuracy, %, from which on an error scale no longer tells values apart."""
Scale = Literal["linear", "log", "error"]
"""error: percentages by the logarithm of what they lack to 100, so that 90 to 99 is as far as
99 to 99.9."""


@dataclass(frozen=True)
class Axis:
    """A scale from `low` at position `start` to `high` at `end`; positions are SVG units.

    at_values: where the ticks go, instead of round values.
    """

    low: float
    high: float
    start: float
    end: float
    scale: Scale = "linear"
    label: str = ""
    at_values: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Position of `value`, rounded to a tenth of a unit; the low end, where it has none."""
        value = self.low if self.scale == "log" and value <= 0 else value
        low, high, here = (_scaled(v, self.scale) for v in (self.low, self.high, value))
        return round(self.start + (here - low) / (high - low) * (self.end - self.start), 1)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """(position, text) at round values, three to eight of them where that is possible."""
        return [(self.at(v), short(v)) for v in self.at_values or self._round() if v in self]

    def _round(self) -> list[float]:
        """The coarsest round values of which at least three are in sight; even where none are."""
        first, last = floor(log10(max(self.low, 1e-12))), ceil(log10(max(self.high, 1e-12)))
        decades = range(first, last + 1) if self.scale == "log" else range(1)
        for step in STEPS[self.scale]:
            values = [float(f"{s}e{d}") for d in decades for s in step]
            if 3 <= sum(v in self for v in values) <= 8:
                return values
        return self._even()

    def _even(self) -> list[float]:
        rough = (self.high - self.low) / 6.5
        unit = 10.0 ** floor(log10(rough))
        step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough)
        first, count = ceil(self.low / step), int((self.high - self.low) / step) + 2
        return [round((first + i) * step, 10) for i in range(count)]


STEPS: dict[Scale, tuple[tuple[float, ...], ...]] = {
    "linear": (),
    "log": ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)),
    "error": (
        (0, 20, 40, 60, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9),
        (50, 60, 70, 80, 85, 90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.3, 99.5, 99.7, 99.9),
    ),
}
"""Where ticks may stand, coarse to fine; on a log scale, in each decade."""


def axis(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    scale: Scale = "linear",
    least: float | None = None,
    label: str = "",
) -> Axis:
    """An axis around `values` with a margin, cut at `least`. Log scales skip values ≤ 0.

    A single value, or none, still gets an axis of some length.
    """
    kept = [v for v in values if scale != "log" or v > 0] or [1.0, 10.0]
    low, high = _scaled(min(kept), scale), _scaled(max(kept), scale)
    pad = (high - low) * MARGIN or 0.03 * (abs(high) if scale == "linear" else 1.0) or 1.0
    ends = _value(low - pad, scale), _value(high + pad, scale)
    low = ends[0] if least is None else max(ends[0], least)
    return Axis(low, ends[1], start, end, scale, label)


def _scaled(value: float, scale: Scale) -> float:
    if scale == "error":
        return -log10(100 - min(value, BEST))
    return log10(value) if scale == "log" else value


def _value(scaled: float, scale: Scale) -> float:
    """The inverse of `_scaled`."""
    if scale == "error":
        return float(100 - 10.0**-scaled)
    return float(10.0**scaled) if scale == "log" else scaled


def short(value: float) -> str:
    """A tick's text: 950, 1.5k, 20k, 3M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{name}".replace("-", "−")
    return f"{value:g}".replace("-", "−")
