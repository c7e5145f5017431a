"""Points of the search, the limits that they have to meet, and what they score.

A point (Genome) is a network and the share of the board's LUTs that planning may use: folded into
less, one network gives a front of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gen.support.promises import Promise, promises, requested
from model.errors import RequestError
from search.evolve.predictor import Inherited
from search.results.hypervolume import row
from search.results.results import OBJECTIVES
from search.space.space import Candidate, Space

SHARES = (1.0, 0.7, 0.5, 0.35, 0.2)
UNFIT = 10.0
"""Violation of every constraint by a point that cannot be built: worse than missing any limit."""


@dataclass(frozen=True)
class Genome:
    """One point of the search."""

    candidate: Candidate
    share: float


@dataclass(frozen=True)
class Limits:
    """What every network of the front has to meet; None: no such limit."""

    max_latency_us: float | None = None
    max_luts: int | None = None
    dsps: int | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name == "dsps" else 1e-9
            if value is not None and not least <= value < math.inf:
                rule = "at least 0" if name == "dsps" else "more than 0"
                raise RequestError(f"{self.said(name)}: must be {rule}")

    def said(self, name: str, value: float | None = None) -> str:
        """A limit as on the command line, with its own value or another one."""
        return requested(name, getattr(self, name) if value is None else value)

    def held(self, measured: Mapping[str, Any]) -> tuple[Promise, ...]:
        """Each limit beside a measured figure."""
        return promises(asdict(self), measured)

    def sure(self, clock: float) -> Limits:
        """Tighter ones, by as much as a clock may fall short of what is predicted: to a part of
        `clock` of it."""
        latency, fps = self.max_latency_us, self.fps
        return replace(self, max_latency_us=latency and latency * clock, fps=fps and fps / clock)

    def excess(self, cost: Mapping[str, Any]) -> dict[str, float]:
        """log10 of how far each limit is missed; negative where it is met."""
        over = {}
        if self.max_latency_us is not None:
            over["max_latency_us"] = math.log10(cost["latency_us"] / self.max_latency_us)
        if self.max_luts is not None:
            over["max_luts"] = math.log10(max(cost["lut"], 1) / self.max_luts)
        if self.fps is not None:
            over["fps"] = math.log10(self.fps / cost["inferences_per_s"])
        if self.dsps is not None:
            over["dsps"] = float(cost["dsp"] - self.dsps)
        return over


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Score:
    """A scored point. accuracy: expected of it once trained, None where it does not fit.

    weights: their number. inherited: how it does before training. excess: where it does not fit,
    what it takes of the scarcest resource over what there is.
    """

    key: str
    id: str
    genome: Genome
    accuracy: float | None
    fits: bool
    why: str = ""
    predicted: Mapping[str, Any] = field(default_factory=dict)
    excess: float = 0.0
    inherited: Inherited | None = None
    weights: int = 0

    def objectives(self) -> list[float]:
        """A `search.results.hypervolume.row`, to minimise."""
        if not self.fits:
            return [0.0, *(UNFIT for _ in OBJECTIVES)]
        return row(self.accuracy or 0.0, self.predicted)

    def violation(self, limits: Limits) -> float:
        """0 for a point that may be on the front, else how far it is from that."""
        if not self.fits:
            return UNFIT + math.log10(max(self.excess, 1.0))
        return sum(max(0.0, over) for over in limits.excess(self.predicted).values())

    def as_row(self) -> dict[str, Any]:
        """A line of candidates.jsonl; `from_row` reads it back."""
        candidate = self.genome.candidate
        return {
            "key": self.key, "id": self.id, "share": self.genome.share,
            "candidate": candidate.as_dict(), "kinds": list(candidate.kinds),
            "inherited": asdict(self.inherited) if self.inherited else None,
            "accuracy": self.accuracy, "fits": self.fits,
            "why": self.why, "predicted": dict(self.predicted), "excess": self.excess,
            "weights": self.weights,
        }  # fmt: skip

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> Score:
        genome = Genome(Candidate.from_dict(row["candidate"]), row["share"])
        inherited = Inherited(**row["inherited"]) if row["inherited"] else None
        names = ("key", "id", "accuracy", "fits", "why", "predicted", "excess", "weights")
        return Score(genome=genome, inherited=inherited, **{name: row[name] for name in names})


def key(space: Space, genome: Genome) -> str:
    """The point's name: id of the network and share."""
    return f"{space.id(genome.candidate)}-{genome.share:g}"
