"""The clocks that a PLL can make: all settings of its dividers within the vendor's limits.

ecp5 (EHXPLLL): limits of ecppll, but a phase detector at 10 MHz or more, as the data sheet wants.
CLKOP feeds back at the detector's frequency and CLKOS is the clock, so that any whole multiple of
it can be the oscillator's. ice40 (SB_PLL40): equations and limits of icepll, simple feedback. gowin
(rPLL): those of gowin_pll for a GW1NR-9 C6/I5. Frequencies are exact, in Hz.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor

from gen.support.devices import FamilyName

MHZ = 1_000_000


@dataclass(frozen=True)
class FrequencyRange:
    """Frequencies from `low` to `high`, both allowed, in Hz."""

    low: int
    high: int

    def __contains__(self, hz: object) -> bool:
        return isinstance(hz, int | Fraction) and self.low <= hz <= self.high


@dataclass(frozen=True)
class PllLimits:
    """What a PLL's reference, phase detector, oscillator and output may run at."""

    reference: FrequencyRange
    detector: FrequencyRange
    oscillator: FrequencyRange
    output: FrequencyRange


def _limits(*mhz: tuple[float, float]) -> PllLimits:
    return PllLimits(*(FrequencyRange(round(low * MHZ), round(high * MHZ)) for low, high in mhz))


LIMITS: dict[FamilyName, PllLimits] = {
    "ecp5": _limits((8, 400), (10, 400), (400, 800), (3.125, 400)),
    "ice40": _limits((10, 133), (10, 133), (533, 1066), (16, 275)),
    "gowin": _limits((3, 400), (3, 400), (400, 1200), (3.125, 600)),
}
GOWIN_ODIV = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


@dataclass(frozen=True)
class PllSetting:
    """One clock made from `reference`, in Hz; without dividers it is the reference itself.

    dividers: by the names of the family's cell, counted as division factors but for iCE40, where
    DIVR and DIVF are one less and DIVQ is a power of two, as the cell has them.
    """

    hz: Fraction
    reference: int
    detector: Fraction = Fraction(0)
    oscillator: Fraction = Fraction(0)
    dividers: tuple[tuple[str, int], ...] = ()

    @property
    def mhz(self) -> float:
        return float(self.hz / MHZ)

    @property
    def uses_pll(self) -> bool:
        return bool(self.dividers)


@cache
def settings(family: FamilyName, reference: int) -> tuple[PllSetting, ...]:
    """Every clock that the family's PLL makes from `reference` Hz, slowest first.

    Of the ways to the same frequency the one with the fastest phase detector is taken, which is
    the one with the least jitter, then the one with the fastest oscillator.
    """
    if reference not in LIMITS[family].reference:
        return ()
    ways = {"ecp5": _ecp5, "ice40": _ice40, "gowin": _gowin}[family]
    best: dict[Fraction, PllSetting] = {}
    for setting in ways(LIMITS[family], reference):
        best[setting.hz] = max(best.get(setting.hz, setting), setting, key=_jitter_rank)
    return tuple(best[hz] for hz in sorted(best))


def _jitter_rank(setting: PllSetting) -> tuple[Fraction, Fraction]:
    return setting.detector, setting.oscillator


def _divisors(reference: int, within: FrequencyRange, most: int) -> range:
    """Division factors of 1 to `most` that bring `reference` within a range."""
    return range(ceil(reference / within.high), min(most, floor(reference / within.low)) + 1)


def _multiples(of: Fraction, within: FrequencyRange, most: int) -> range:
    return range(ceil(within.low / of), min(most, floor(within.high / of)) + 1)


def _ecp5(limits: PllLimits, reference: int) -> Iterator[PllSetting]:
    for i in _divisors(reference, limits.detector, 128):
        detector = Fraction(reference, i)
        for op in _multiples(detector, limits.oscillator, 128):
            for os in range(1, 129):
                if (hz := detector * op / os) in limits.output:
                    names = (
                        ("CLKI_DIV", i),
                        ("CLKFB_DIV", 1),
                        ("CLKOP_DIV", op),
                        ("CLKOS_DIV", os),
                    )
                    yield PllSetting(hz, reference, detector, detector * op, names)


def _ice40(limits: PllLimits, reference: int) -> Iterator[PllSetting]:
    for r in _divisors(reference, limits.detector, 16):
        detector = Fraction(reference, r)
        for f in _multiples(detector, limits.oscillator, 128):
            for q in range(1, 7):
                if (hz := detector * f / 2**q) in limits.output:
                    names = (("DIVR", r - 1), ("DIVF", f - 1), ("DIVQ", q))
                    yield PllSetting(hz, reference, detector, detector * f, names)


def _gowin(limits: PllLimits, reference: int) -> Iterator[PllSetting]:
    for i in _divisors(reference, limits.detector, 64):
        detector = Fraction(reference, i)
        for fb in _multiples(detector, limits.output, 64):
            for o in GOWIN_ODIV:
                if (oscillator := detector * fb * o) in limits.oscillator:
                    names = (("IDIV", i), ("FBDIV", fb), ("ODIV", o))
                    yield PllSetting(detector * fb, reference, detector, oscillator, names)
