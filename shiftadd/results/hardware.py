"""Results of what makes hardware of a network: compile, simulate, deploy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command, words
from shiftadd.results.classes import class_lines

if TYPE_CHECKING:
    from rich.table import Table

    from gen.report import Report
    from sim.board.deployment import Deployment
    from sim.energy.reference import ActivityEnergy
    from sim.verify.prove import Verification
    from sim.verify.simulation_result import SimulationResult


@dataclass(frozen=True)
class CompileOutcome(Outcome):
    """A built accelerator. report: predicted beside measured. folder: of all files. net: what was
    compiled, as commands name it; empty for a Network that was given as an object.

    >>> built = shiftadd.compile("net", board="up5k", quiet=True)
    >>> built.folder, built.report.files["bitstream"]
    (PosixPath('build/net-up5k'), 'build/net-up5k/shiftadd_top.bin')
    """

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
        proof = ("simulate", self.net, "--board", self.board, "--build", self.folder)
        then = [next_command(*proof)] if self.net and self.ok else []
        return (*self.report.clock_lines, *self.report.advice, place, *then)


@dataclass(frozen=True)
class SimulateOutcome(Outcome):
    """Hardware against the golden model. verification: a result a level, the levels that were left
    out, and what the hardware answered by class. notes: on the data. net, board, build: as they
    were given. target: the board that it can go to, where a command can say so, and
    whether with the plan of `build`. energy: of an image, where it was asked for and all are right.

    >>> proof = shiftadd.simulate("net", board="up5k", images=2, quiet=True)
    >>> proof.results[0].mismatches, proof.verification.confusion.total
    (0, 2)
    """

    verification: Verification
    net: str
    board: str
    build: Path | None = None
    notes: tuple[str, ...] = ()
    target: tuple[str, bool] | None = None
    energy: ActivityEnergy | None = None

    @property
    def ok(self) -> bool:
        """Whether every image is equal at every level."""
        return self.verification.ok

    @property
    def results(self) -> tuple[SimulationResult, ...]:
        """Of each level that was simulated."""
        return self.verification.results

    def as_dict(self) -> dict[str, Any]:
        spent = {"energy": self.energy.as_dict()} if self.energy else {}
        return self.verification.as_dict() | {"notes": list(self.notes)} | spent

    def lines(self) -> Sequence[str]:
        return (*map(verdict, self.results), *self.closing())

    def closing(self) -> Sequence[str]:
        """What stands below the verdicts."""
        matrix = self.verification.confusion
        right = f"right: {100 * matrix.accuracy:.2f} % of {matrix.total}" if matrix else ""
        classes = [right, *class_lines(matrix)] if matrix else []
        left_out, spent = self.verification.left_out, [str(self.energy)] if self.energy else []
        return (*map(str, left_out), *classes, *spent, *self.notes, *self._then())

    def _then(self) -> Sequence[str]:
        built = ("--build", self.build) if self.build else ()
        if not self.net:
            return ()
        if not self.ok:
            again = ("simulate", self.net, "--board", self.board, *built, "--waves", "differ.vcd")
            return (next_command(*again),)
        if self.target is None:
            return ()
        board, planned = self.target
        virtual = ("deploy", self.net, "--board", board, *(built if planned else ()), "--virtual")
        return (next_command(*virtual),)


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
    """A bundle, what the board did with it, and with faults what it did with those. net: as it was
    given. notes: on the data.

    >>> made = shiftadd.deploy("net", board="icebreaker", virtual=True, load=False, quiet=True)
    >>> made.deployment.bundle.folder
    PosixPath('build/net-icebreaker/deploy-virtual')
    """

    deployment: Deployment
    net: str
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every answer of the board is that of the golden model."""
        return self.deployment.ok

    def as_dict(self) -> dict[str, Any]:
        return self.deployment.as_dict() | {"notes": list(self.notes)}

    def tables(self) -> Sequence[Table]:
        from sim.board.deploy import table
        from sim.board.fault_table import tables

        run, faults = self.deployment.deployed, self.deployment.faults
        return (*([table(run)] if run else []), *(tables(faults) if faults else []))

    def lines(self) -> Sequence[str]:
        bundle = self.deployment.bundle
        missed = {one.name for one in bundle.promises if one.met is False}
        limits = [str(one) for one in bundle.promises if one.name not in missed]
        return (
            *limits,
            *bundle.advice,
            *self.notes,
            f"bundle, with its README: {bundle.folder}",
            *self._then(),
        )

    def _then(self) -> Sequence[str]:
        run, bundle = self.deployment.deployed, self.deployment.bundle
        if not self.ok or not self.net:
            return ()
        if run and not run.virtual:
            return (f"next: {words('python', bundle.folder / 'classify.py')}",)
        if bundle.manifest.bitstream is None:
            return (next_command("deploy", self.net, "--board", bundle.manifest.board),)
        return (next_command("deploy", self.net, "--bundle", bundle.folder),)
