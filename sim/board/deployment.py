"""What is asked of a deployment, and its steps: a bundle, the board, and faults on the virtual one.

`sim.board.deploy` loads and asks the board; here is what comes before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gen.boards import board as board_named
from gen.boards.board import Board
from gen.compile import planned
from gen.deploy import bundle as bundles
from gen.deploy.bundle import Bundle
from gen.deploy.examples import Examples
from gen.host.ports import ready
from gen.support.progress import SILENT, Progress
from gen.support.promises import kept
from model.errors import RequestError
from model.spec import Network
from sim.board.deploy import BoardRun, check_bundle, deploy
from sim.board.faults import try_faults
from sim.verify import evidence
from sim.verify.fault_counts import FaultCounts


@dataclass(frozen=True, kw_only=True)
class DeployRequest:
    """What is asked; RequestError for options that leave each other nothing to say.

    board: None only with a bundle, for that of the bundle. port: None finds it. virtual: Verilator
    in place of a board. flash: keep it when the power is off. load: False makes the bundle alone.
    faults: malformed frames for the virtual board. build: folder of `compile`, whose plan is taken.
    bundle: one that is there, instead of a new one. out: folder of a new one; None for one in
    build/ by `name` and board. limits: fps, dsps, luts and seeds of a new one.
    """

    board: str | None = None
    port: str | None = None
    virtual: bool = False
    flash: bool = False
    load: bool = True
    faults: int | None = None
    build: Path | None = None
    bundle: Path | None = None
    out: Path | None = None
    name: str = "network"
    limits: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = self.faults
        if count is not None and not self.virtual:
            raise RequestError(
                f"--faults {count}: only the virtual board is given faults; add --virtual"
            )
        if count is not None and count < 1:
            raise RequestError(f"--faults {count}: at least 1 malformed frame is needed")
        _no_conflict({"--no-load": not self.load}, {"--faults": count})
        _no_conflict(
            {"--virtual": self.virtual}, {"--port": self.port, "--flash": self.flash or None}
        )
        asked = {f"--{name}": self.limits.get(name) for name in ("fps", "dsps", "luts")}
        _no_conflict({"--build": self.build}, asked)
        _no_conflict({"--bundle": self.bundle}, asked | {"--build": self.build, "--out": self.out})

    def folder(self, board: Board) -> Path:
        """Where a new bundle for `board` lands."""
        out = self.out or Path("build") / f"{self.name}-{board.name}"
        return out / ("deploy-virtual" if self.virtual else "deploy")


def _no_conflict(one: dict[str, object], others: dict[str, object]) -> None:
    """RequestError when an option stands beside one that it leaves nothing to say."""
    ((name, value),) = one.items()
    if value and (beside := [other for other, given in others.items() if given is not None]):
        raise RequestError(f"{', '.join(beside)}: {name} leaves no choice of that; drop one")


@dataclass(frozen=True)
class Deployment:
    """What came of a request: the bundle, and what the board did where it was loaded."""

    bundle: Bundle
    deployed: BoardRun | None = None
    faults: FaultCounts | None = None

    @property
    def ok(self) -> bool:
        """Whether every answer is that of the golden model, and every limit that was measured is
        kept."""
        parts = (self.deployed, self.faults)
        return kept(self.bundle.promises) and all(one.ok for one in parts if one is not None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        limits = {
            "promises": [one.as_dict() for one in self.bundle.promises],
            "advice": list(self.bundle.advice),
        }
        if self.deployed is None:
            bitstream = self.bundle.manifest.bitstream
            return {"bundle": str(self.bundle.folder), "bitstream": bitstream} | limits
        faults = {"faults": self.faults.as_dict()} if self.faults else {}
        return self.deployed.as_dict() | faults | limits


def carry_out(
    request: DeployRequest,
    network: Network,
    tests: Examples,
    *,
    images: int | None = None,
    progress: Progress = SILENT,
    on_result: Callable[[Bundle | BoardRun | FaultCounts], None] = lambda result: None,
) -> Deployment:
    """Makes or reads the bundle of `network`, loads it, and asks it the first `images` of `tests`.

    on_result: is given bundle, board and faults as soon as each is there. Raises ShiftaddError.
    """
    some = tests.first(images)
    bundle, port = _bundle(request, network, tests, progress)
    on_result(bundle)
    if not request.load:
        return Deployment(bundle)
    with progress.bar(f"deploy to {bundle.manifest.board}") as tick:
        deployed = deploy(
            bundle,
            network,
            some,
            port=port,
            virtual=request.virtual,
            flash=request.flash,
            tick=tick,
        )
    on_result(deployed)
    if request.faults is None:
        return Deployment(bundle, deployed)
    faults = _faults(bundle, some, network, request.faults, request.build, progress)
    on_result(faults)
    return Deployment(bundle, deployed, faults)


def _bundle(
    request: DeployRequest, network: Network, tests: Examples, progress: Progress
) -> tuple[Bundle, str | None]:
    """The bundle, and the port of a board that is to be loaded."""
    there = bundles.load(request.bundle) if request.bundle else None
    if there:
        check_bundle(there, network, request.board, virtual=request.virtual or not request.load)
    board = board_named(there.manifest.board if there else str(request.board))
    port = request.port
    if request.load and not request.virtual:  # before the time that building takes
        port = ready(board.name, board.uart, board.baud, port)
    return there or _new_bundle(request, network, tests, board, progress), port


def _new_bundle(
    request: DeployRequest, network: Network, tests: Examples, board: Board, progress: Progress
) -> Bundle:
    limits, place = dict(request.limits), not request.virtual
    if request.build:
        limits["plan"], _ = planned(network, board=board.device.name, folder=request.build)
    with progress.status() as say:
        folder = request.folder(board)
        return bundles.make(network, board, tests, folder, place=place, progress=say, **limits)


def _faults(
    bundle: Bundle,
    tests: Examples,
    network: Network,
    count: int,
    build: Path | None,
    progress: Progress,
) -> FaultCounts:
    """What faults do to the virtual board of a bundle; also goes into its evidence."""
    with progress.bar("faults") as tick:
        counts = try_faults(bundle, tests, network, count=count, tick=tick)
    plan = bundle.plan
    evidence.record_faults(evidence.path(build, plan), plan, bundle.manifest.board, counts)
    return counts
