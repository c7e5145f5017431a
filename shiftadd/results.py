"""The typed results of the Python API, one a verb. Cheap to import: what they hold is imported by
the functions that make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from rich.table import Table

    from gen.boards.table import BoardRow
    from gen.report import Report
    from model.spec import Network
    from model.train import TrainResult
    from shiftadd.demonstration import Demonstration
    from sim.board.deployment import Deployment
    from sim.verify.simulation_result import SimulationResult

__all__ = [
    "BoardsOutcome", "CharacteriseOutcome", "CompileOutcome", "DemoOutcome", "DeployOutcome",
    "Outcome", "ReportOutcome", "SearchOutcome", "SimulateOutcome", "TrainOutcome",
]  # fmt: skip


@dataclass(frozen=True)
class TrainOutcome(Outcome):
    """A trained network. arch, data: their names. folder: of the network. result: accuracy at the
    end of each stage, weights, epochs and seconds."""

    arch: str
    data: str
    folder: Path
    result: TrainResult = field(repr=False)

    @property
    def network(self) -> Network:
        """The integer network, for `compile`, `simulate` and `deploy`."""
        return self.result.network

    @property
    def accuracy(self) -> Mapping[str, float]:
        """Share of the test images that are right: float, quantised, integer."""
        return self.result.accuracy

    def as_dict(self) -> dict[str, Any]:
        return {"arch": self.arch, "data": self.data} | self.result.as_dict(self.folder)

    def lines(self) -> Sequence[str]:
        stages = ", ".join(f"{stage} {100 * a:.2f} %" for stage, a in self.accuracy.items())
        return (
            f"{self.arch} on {self.data}: right on the test images: {stages}; "
            f"{self.result.weights} weights, {self.result.epochs} epochs, "
            f"{self.result.seconds:.0f} s",
            f"network: {self.folder}",
            next_command("compile", self.folder),
        )


@dataclass(frozen=True)
class CompileOutcome(Outcome):
    """A built accelerator. report: predicted beside measured. folder: of all files. net: what was
    compiled, as commands name it."""

    report: Report
    folder: Path
    net: str
    board: str

    @property
    def ok(self) -> bool:
        """Whether the limits that were asked for are kept."""
        return self.report.ok

    def as_dict(self) -> dict[str, Any]:
        return self.report.as_dict()

    def tables(self) -> Sequence[Table]:
        from gen.table import table

        return (table(self.report),)

    def lines(self) -> Sequence[str]:
        place = f"plan, Verilog, bitstream and report: {self.folder}"
        words = ("simulate", self.net, "--board", self.board, "--build", self.folder)
        return (*self.report.advice, place, next_command(*words))


@dataclass(frozen=True)
class SimulateOutcome(Outcome):
    """Hardware against the golden model. level: as asked for. results: one a level."""

    level: str
    results: tuple[SimulationResult, ...]
    net: str
    board: str

    @property
    def ok(self) -> bool:
        """Whether every image is equal at every level."""
        return all(result.ok for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        from sim.verify.prove import as_dict

        return as_dict(self.level, self.results)

    def lines(self) -> Sequence[str]:
        return (*map(verdict, self.results), *self.closing())

    def closing(self) -> Sequence[str]:
        """What stands below the verdicts."""
        return (next_command("deploy", self.net, "--board", self.board, "--virtual"),)


def verdict(result: SimulationResult) -> str:
    """A level's result in a sentence."""
    if result.ok:
        return (
            f"{result.images} images equal to the golden model at level {result.level} "
            f"({result.simulator}, seed {result.seed}); latency {result.cycles_latency}, "
            f"interval {result.cycles_interval} cycles"
        )
    where = f"; first: {result.first_mismatch}" if result.first_mismatch else ""
    stop = f"; words stopped at {result.stopped}" if result.stopped else ""
    return f"{result.mismatches} of {result.images} images differ (seed {result.seed}){where}{stop}"


@dataclass(frozen=True)
class DeployOutcome(Outcome):
    """A bundle, what the board did with it, and with faults what it did with those."""

    deployment: Deployment

    @property
    def ok(self) -> bool:
        """Whether every answer of the board is that of the golden model."""
        return self.deployment.ok

    def as_dict(self) -> dict[str, Any]:
        return self.deployment.as_dict()

    def tables(self) -> Sequence[Table]:
        from sim.board.deploy import table
        from sim.board.fault_table import tables

        run, faults = self.deployment.deployed, self.deployment.faults
        return (*([table(run)] if run else []), *(tables(faults) if faults else []))

    def lines(self) -> Sequence[str]:
        return (f"bundle: {self.deployment.bundle.folder}",)


@dataclass(frozen=True)
class SearchOutcome(Outcome):
    """A measured front. run: its folder. page: the HTML report. evaluations: points scored.
    finalists: points built. front: their figures. rounds: errors of the predictions. seconds: by
    step. ok: whether every finalist that was simulated equals its golden model."""

    run: Path
    page: Path
    evaluations: int
    finalists: int
    front: tuple[Mapping[str, Any], ...]
    rounds: tuple[Mapping[str, Any], ...]
    seconds: Mapping[str, float]
    ok: bool = True

    @classmethod
    def of(cls, made: Mapping[str, Any], ok: bool) -> SearchOutcome:
        """From what `search.run.search.search` returns."""
        rest = {name: made[name] for name in ("evaluations", "finalists", "seconds")}
        front, rounds = tuple(made["front"]), tuple(made["rounds"])
        run, page = Path(made["run"]), Path(made["report"])
        return cls(run=run, page=page, front=front, rounds=rounds, ok=ok, **rest)

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.run), "report": str(self.page), "evaluations": self.evaluations,
            "finalists": self.finalists, "front": list(self.front), "rounds": list(self.rounds),
            "seconds": dict(self.seconds),
        }  # fmt: skip

    def tables(self) -> Sequence[Table]:
        from search.report.search_table import table

        return (table(self.as_dict()),)

    def lines(self) -> Sequence[str]:
        return (f"report: {self.page}",)


@dataclass(frozen=True)
class ReportOutcome(Outcome):
    """A page that was built again. page: its file. runs: folder, state and front of each."""

    page: Path
    runs: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        return {"report": str(self.page), "runs": list(self.runs)}

    def lines(self) -> Sequence[str]:
        return (f"report: {self.page}",)


@dataclass(frozen=True)
class CharacteriseOutcome(Outcome):
    """Prices fitted to measured layers. layers: how many there are. error_percent: mean, of layers
    and of networks, by figure."""

    family: str
    layers: int
    prices: Mapping[str, Mapping[str, float]]
    error_percent: Mapping[str, Mapping[str, float]]
    tools: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"tools": list(self.tools)}

    def lines(self) -> Sequence[str]:
        return [
            f"{self.family}: {figure} of {what} within {error} % on average"
            for figure, errors in self.error_percent.items()
            for what, error in errors.items()
        ]


@dataclass(frozen=True)
class BoardsOutcome(Outcome):
    """The boards that a network can be deployed to."""

    boards: tuple[BoardRow, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"boards": [row.as_dict() for row in self.boards]}

    def tables(self) -> Sequence[Table]:
        from gen.boards.table import table

        return (table(self.boards),)

    def lines(self) -> Sequence[str]:
        return [f"{row.board}: {row.note}" for row in self.boards if row.note]


@dataclass(frozen=True)
class DemoOutcome(Outcome):
    """All verbs on the digits."""

    demonstration: Demonstration

    @property
    def ok(self) -> bool:
        """Whether every image was equal to the golden model's, everywhere."""
        return self.demonstration.ok

    def as_dict(self) -> dict[str, Any]:
        return self.demonstration.as_dict()

    def tables(self) -> Sequence[Table]:
        from shiftadd.demonstration import tables

        return tables(self.demonstration)
