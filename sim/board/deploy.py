"""deploy: a bundle loaded into its board, or the virtual one, which is then checked against the
golden model.

The virtual board runs the Verilog of the bundle's network and plan, made again, and the host cannot
tell the difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from gen.boards import board as board_named
from gen.deploy import loader
from gen.deploy.bundle import Bundle
from gen.deploy.examples import Examples
from gen.host import board_check, ports
from gen.host.board_check import BoardCheck
from gen.host.connection import TIMEOUT, BoardConnection
from gen.host.hashes import DamagedError, shown
from gen.host.link_protocol import DeviceError
from model.spec import Network
from model.store import content_hash
from sim.board.virtual import PATIENCE, VirtualBoard

WAKING = 5.0
"""Seconds that a board may take until it answers, after it was loaded."""


@dataclass(frozen=True)
class BoardRun:
    """What a board did. port: of its serial line. seconds: in all, loading included."""

    check: BoardCheck
    board: str
    port: str
    virtual: bool
    bundle: Path
    seconds: float

    @property
    def ok(self) -> bool:
        return self.check.ok

    def as_dict(self) -> dict[str, Any]:
        """For JSON. link_inferences_per_s of a virtual board is the speed of the simulation."""
        check, manifest = self.check, self.check.manifest
        planned = {
            f"planned_{k}": getattr(manifest, k) for k in ("cycles_latency", "cycles_interval")
        }
        rates = ("clock_mhz", "latency_us", "inferences_per_s", "link_inferences_per_s")
        measured = {k: v for k, v in asdict(check).items() if k not in ("manifest", "passed")}
        return {
            "network": manifest.name,
            "network_hash": manifest.info.network,
            "design_hash": manifest.info.design,
            "board": self.board,
            "port": None if self.virtual else self.port,
            "virtual": self.virtual,
            "bundle": str(self.bundle),
            "bitstream": manifest.bitstream,
            "clock_predicted": manifest.bitstream is None,
            **measured,
            **planned,
            **{k: getattr(check, k) for k in rates},
            "self_test": check.passed,
            "seconds": self.seconds,
        }


def check_bundle(bundle: Bundle, network: Network, board: str | None, *, virtual: bool) -> None:
    """DamagedError unless a bundle is of this network, for this board where one is named, and has a
    bitstream where one is needed."""
    manifest = bundle.manifest
    if (digest := content_hash(network)) != manifest.info.network:
        raise DamagedError(
            f"{bundle.folder}: made for network {manifest.info.network[:12]}, this one is "
            f"{digest[:12]}; deploy this one without --bundle"
        )
    if board is not None and board_named(board).name != manifest.board:
        raise DamagedError(
            f"{bundle.folder}: made for {manifest.board}, not for {board}; drop --board or --bundle"
        )
    if manifest.bitstream is None and not virtual:
        raise DamagedError(
            f"{bundle.folder}: has no bitstream, as it was made for the virtual board; add "
            "--virtual, or deploy without --bundle"
        )


def deploy(
    bundle: Bundle,
    network: Network,
    tests: Examples,
    *,
    port: str | None = None,
    virtual: bool = False,
    flash: bool = False,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> BoardRun:
    """Loads the board of `bundle`, which is of `network`, and checks its answers to `tests` against
    the golden model.

    port: of the serial line; None finds it. virtual: nothing is loaded, the Verilog, made again,
    runs in Verilator. flash: keep the bitstream when the power is off. tick: images done, in all.
    Raises LoadError, DeviceError, SimulatorError, DamagedError.
    """
    began = time.monotonic()
    manifest = bundle.manifest
    with (
        _powered(bundle, network, port, virtual, flash) as line,
        _opened(bundle, line, virtual) as device,
    ):
        images, labels, scores = (a.tolist() for a in (tests.images, tests.labels, tests.scores))
        check = board_check.run(device, manifest, images, labels, scores, tick)
    name = "virtual" if virtual else line
    return BoardRun(check, manifest.board, name, virtual, bundle.folder, time.monotonic() - began)


@contextmanager
def _powered(
    bundle: Bundle, network: Network, port: str | None, virtual: bool, flash: bool
) -> Iterator[str]:
    """The port of a board that runs the bundle's design."""
    manifest = bundle.manifest
    if virtual:
        with VirtualBoard(bundle.design(network)) as running:
            yield running.port
        return
    assert manifest.bitstream is not None, "check_bundle holds"
    line = port or ports.find(manifest.board, manifest.uart)
    loader.load(board_named(manifest.board), bundle.folder / manifest.bitstream, flash=flash)
    yield line


def _opened(bundle: Bundle, port: str, virtual: bool) -> BoardConnection:
    """The board, which may need some time to start; another one than the bundle's is refused."""
    timeout = PATIENCE if virtual else TIMEOUT
    info, end = bundle.info, time.monotonic() + WAKING
    while True:
        try:
            return BoardConnection.open(port, info.baud, info=info, timeout=timeout)
        except DeviceError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def table(deployment: BoardRun) -> Table:
    """The board beside the golden model and the plan."""
    manifest = deployment.check.manifest
    where = "the virtual board" if deployment.virtual else deployment.port
    images = f"{deployment.check.images} images of {manifest.data}"
    title = shown(f"{manifest.name} on {deployment.board}, {where}: {images}")
    drawn = Table(title=escape(title), title_justify="left")
    for column in ("", "board", "golden model, plan"):
        drawn.add_column(column, justify="right" if column == "board" else "left")
    speed = "of the simulation" if deployment.virtual else "measured here"
    for row in deployment.check.rows(speed):
        drawn.add_row(*row)
    drawn.add_row("seconds in all", f"{deployment.seconds:.1f}", "")
    drawn.caption = escape(deployment.check.first_mismatch or "") or None
    return drawn
