"""Limits that are asked for, held against what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from model.records import Count


@dataclass(frozen=True)
class LimitRule:
    """How a limit is given, and what it limits. figure: its name among measured figures.

    least: the figure must be no less than the limit, or else no more. words: of the figure.
    """

    flag: str
    figure: str
    least: bool
    words: str
    unit: str = ""


RULES = {
    "fps": LimitRule("--fps", "inferences_per_s", True, "images a second"),
    "mhz": LimitRule("--mhz", "fmax_mhz", True, "MHz"),
    "dsps": LimitRule("--dsps", "dsp", False, "multipliers"),
    "luts": LimitRule("--luts", "lut", False, "LUTs"),
    "max_luts": LimitRule("--max-luts", "lut", False, "LUTs"),
    "max_latency_us": LimitRule("--max-latency", "latency_us", False, "µs", "us"),
}


@dataclass(frozen=True)
class Promise:
    """A limit beside what was measured; `measured` and `met` are None where nothing was."""

    name: str
    asked: Count
    measured: Count | None
    met: bool | None

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise ValueError(f"promise {self.name!r} must be one of {', '.join(RULES)}")

    @property
    def request(self) -> str:
        """As on the command line."""
        return requested(self.name, self.asked)

    def __str__(self) -> str:
        if self.measured is None:
            return f"{self.request}: not measured"
        verdict = "met" if self.met else "missed"
        return f"{self.request} {verdict}: {_number(self.measured)} {RULES[self.name].words}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def requested(name: str, value: float) -> str:
    """A limit as on the command line."""
    rule = RULES[name]
    return f"{rule.flag} {value:.12g}{rule.unit}"


def promises(
    asked: Mapping[str, float | None], measured: Mapping[str, Any] | None
) -> tuple[Promise, ...]:
    """Of each limit in `asked` that is one, by the names in RULES; `measured`: by figures."""
    figures = measured or {}
    return tuple(
        _promise(name, value, figures.get(RULES[name].figure))
        for name, value in asked.items()
        if value is not None
    )


def again(kept: tuple[Promise, ...], measured: Mapping[str, Any] | None) -> tuple[Promise, ...]:
    """The same limits, held against other figures."""
    return promises({promise.name: promise.asked for promise in kept}, measured)


def kept(promises: tuple[Promise, ...]) -> bool:
    """Whether none is known to be missed."""
    return not missed(promises)


def missed(promises: tuple[Promise, ...]) -> list[Promise]:
    return [promise for promise in promises if promise.met is False]


def _promise(name: str, asked: float, measured: float | None) -> Promise:
    met = None
    if measured is not None:
        met = measured >= asked if RULES[name].least else measured <= asked
    return Promise(name, asked, measured, met)


def _number(value: float) -> str:
    return f"{value:,.1f}" if isinstance(value, float) and value % 1 else f"{value:,.0f}"
