"""What a search has found, as its run directory holds it: scored points, finalists, the front.

Accuracies are fractions. `kinds` are those of a network's layers in order, but for mult at either
end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from gen.cost.energy import power_uw
from gen.support.promises import Promise, missed
from model.arch import Architecture
from model.confusion import ConfusionMatrix
from model.errors import ShiftaddError
from model.kinds import kind_names, plain_kind
from sim.verify.evidence import BARE, WHAT
from sim.verify.fault_counts import FaultCounts

OBJECTIVES = ("latency_us", "lut", "energy_nj")
"""The costs that the front minimises, beside the accuracy that it maximises."""


class RunError(ShiftaddError, ValueError):
    """A folder is not a readable run; one line says what is wrong and with which file."""


@dataclass(frozen=True)
class Costs:
    """Cost and speed of one accelerator; None where nobody knows.

    energy_nj: of an image on the FPGA, see gen.cost.energy; energy_45nm_nj: by the table of the
    literature. idle_uw: µW while no image comes. All are predicted, of what was built at its
    measured clock.
    """

    lut: float | None = None
    ff: float | None = None
    dsp: float | None = None
    bram: float | None = None
    fmax_mhz: float | None = None
    cycles_latency: float | None = None
    cycles_interval: float | None = None
    latency_us: float | None = None
    inferences_per_s: float | None = None
    energy_nj: float | None = None
    energy_45nm_nj: float | None = None
    idle_uw: float | None = None

    def power_uw(self, fps: float) -> float | None:
        """µW at `fps` images a second; None where that is unknown, or more than it can do."""
        return power_uw(self.energy_nj, self.idle_uw, self.inferences_per_s, fps)

    def of(self, name: str) -> float | None:
        """The figure called `name`."""
        value: float | None = getattr(self, name)
        return value


COSTS = tuple(f.name for f in fields(Costs))
COLUMNS = (
    *("key", "kind", "kinds", "share", "round", "validation", "test", "inherited"),
    *COSTS,
    *("images", "mismatches"),
)
"""Of a finalist's row in front.json and front.csv."""


@dataclass(frozen=True)
class Point:
    """One scored point: a network at one share of the board. accuracy: expected, validation."""

    key: str
    share: float
    kinds: tuple[str, ...]
    accuracy: float | None
    fits: bool
    predicted: Costs

    @property
    def kind(self) -> str:
        return one_kind(self.kinds)


@dataclass(frozen=True)
class Proof:
    """Test images that a build answered as the golden model does, at one level; what was run."""

    level: str
    images: int
    mismatches: int
    what: str

    @property
    def remark(self) -> str:
        """What has to be said of it beside the level."""
        return BARE if self.what.endswith(BARE) else ""


@dataclass(frozen=True)
class Finalist:
    """One point that was fine-tuned, placed, routed and simulated; `error` says why it was not.

    inherited and validation: accuracies on the validation split before and after fine-tuning;
    expected: what the search took the latter for. test: on images that nothing else has seen.
    searched: predicted when the search chose it; predicted: of the plan that is built. arch: None
    where it cannot be read.
    """

    key: str
    share: float
    round: int
    kinds: tuple[str, ...]
    inherited: float | None
    validation: float | None
    test: float | None
    searched: Costs
    predicted: Costs
    measured: Costs
    images: int
    mismatches: int
    error: str
    folder: Path
    arch: Architecture | None = None
    tools: tuple[str, ...] = ()
    expected: float | None = None
    below: tuple[Proof, ...] = ()
    """Levels below RTL that `shiftadd simulate --build` has run since."""
    promises: tuple[Promise, ...] = ()
    """The limits of the search, beside what was measured."""
    confusion: ConfusionMatrix | None = None
    """Of the test images."""
    faults: FaultCounts | None = None
    """Faults that `shiftadd deploy --build --virtual --faults` has tried since."""
    clock: tuple[str, ...] = ()
    """Lines about its clock: the spread over seeds, the slowest path."""

    @property
    def kind(self) -> str:
        return one_kind(self.kinds)

    @property
    def beyond(self) -> bool:
        """Built, and not within the limits of the search."""
        return bool(missed(self.promises))

    @property
    def verified(self) -> bool:
        """Built, equal to the golden model on every image, and known in every objective."""
        known = self.validation is not None and None not in map(self.measured.of, OBJECTIVES)
        return known and not self.error and not self.mismatches

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """From RTL down."""
        rtl = Proof("rtl", self.images, self.mismatches, WHAT["rtl"])
        return ((rtl,) if self.images else ()) + self.below

    def row(self) -> dict[str, Any]:
        """Plain values for JSON and CSV; costs are the measured ones."""
        return {
            "key": self.key, "kind": self.kind, "kinds": " ".join(self.kinds), "share": self.share,
            "round": self.round, "validation": self.validation, "test": self.test,
            "inherited": self.inherited, **asdict(self.measured), "images": self.images,
            "mismatches": self.mismatches,
        }  # fmt: skip


@dataclass(frozen=True)
class Histogram:
    """Trained weights: counts between edges; their Kolmogorov–Smirnov distances from two laws."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]
    gaussian: float | None
    laplacian: float | None


@dataclass(frozen=True)
class SearchRun:
    """One run directory. `building`: finalists that have begun and not ended.

    curve: of the supernet's training, a row an epoch. histograms: of its weights, by kind. data: a
    summary of it (`model.data.summary`), empty where an older run does not say.
    """

    folder: Path
    state: str
    request: Mapping[str, Any]
    space: Mapping[str, Any]
    device: Mapping[str, Any]
    supernet: Mapping[str, Any]
    seconds: Mapping[str, float]
    points: tuple[Point, ...] = ()
    finalists: tuple[Finalist, ...] = ()
    building: int = 0
    curve: tuple[Mapping[str, float], ...] = ()
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    rounds: tuple[Mapping[str, float], ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    """The budget that was planned for its time; empty where none was asked for."""

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def place(self) -> str:
        """The folder as one would name it here: relative to where we are, if it is below."""
        whole, here = self.folder.resolve(), Path.cwd()
        return str(whole.relative_to(here) if whole.is_relative_to(here) else self.folder)

    @property
    def style(self) -> str:
        """The kind that stands for this run beside others: a single kind, mixed, or random."""
        if self.request.get("sampler") == "random":
            return "random"
        return one_kind(self.request["kinds"] or kind_names())

    @property
    def title(self) -> str:
        """What distinguishes this run from others."""
        return {"mixed": "hybrid", "random": "random"}.get(self.style, f"all {self.style}")

    @property
    def front(self) -> list[Finalist]:
        return front(self.finalists)

    @property
    def tools(self) -> list[str]:
        """Versions of all tools that built the finalists."""
        return sorted({tool for finalist in self.finalists for tool in finalist.tools})


def one_kind(kinds: Iterable[str]) -> str:
    """The kind of a network whose layers, but for products at the ends, are all of one kind, or
    `mixed`."""
    different = set(kinds) or {plain_kind()}
    return different.pop() if len(different) == 1 else "mixed"


def front(finalists: Iterable[Finalist]) -> list[Finalist]:
    """The measured Pareto front: verified, and not dominated in validation accuracy and OBJECTIVES.

    Most accurate first; equals in all objectives stay side by side.
    """
    verified = [f for f in finalists if f.verified]
    kept = [f for f in verified if not any(_dominates(other, f) for other in verified)]
    return sorted(kept, key=lambda f: (-_objectives(f)[0], _objectives(f)[1:], f.key))


def _dominates(a: Finalist, b: Finalist) -> bool:
    x, y = _objectives(a), _objectives(b)
    return x != y and x[0] >= y[0] and all(p <= q for p, q in zip(x[1:], y[1:], strict=True))


def _objectives(finalist: Finalist) -> tuple[float, ...]:
    costs = (finalist.measured.of(name) for name in OBJECTIVES)
    return (finalist.validation or 0.0, *(c or 0.0 for c in costs))


def by_cost(points: Sequence[Finalist], cost: str) -> list[tuple[float, float]]:
    """(cost, validation accuracy) of the points that none beats in these two, cheapest first."""
    pairs = sorted(
        (f.measured.of(cost) or 0.0, -(f.validation or 0.0)) for f in points if f.verified
    )
    steps: list[tuple[float, float]] = []
    for spent, loss in pairs:
        if not steps or -loss > steps[-1][1]:
            steps.append((spent, -loss))
    return steps
