"""deploy: a bundle onto its board, or onto the virtual one, and the board held to the golden model.

The virtual board runs the bundle's own Verilog, and the host cannot tell the difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from gen.boards import board as board_named
from gen.deploy import loader
from gen.deploy.bundle import Bundle
from gen.deploy.examples import Examples
from gen.host import board_check, ports
from gen.host.board_check import BoardCheck
from gen.host.connection import TIMEOUT, BoardConnection
from gen.host.hashes import DamagedError
from gen.host.link_protocol import DeviceError
from model.spec import Network
from model.store import content_hash
from sim.board.virtual import PATIENCE, VirtualBoard

WAKING = 5.0
"""Seconds that a board may take until it answers, after it was loaded."""


@dataclass(frozen=True)
class Deployment:
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
        found, what = self.check, self.check.manifest
        planned = {f"planned_{k}": getattr(what, k) for k in ("cycles_latency", "cycles_interval")}
        rates = ("clock_mhz", "latency_us", "inferences_per_s", "link_inferences_per_s")
        measured = {k: v for k, v in asdict(found).items() if k not in ("manifest", "passed")}
        return {
            "network": what.name,
            "network_hash": what.info.network,
            "design_hash": what.info.design,
            "board": self.board,
            "port": None if self.virtual else self.port,
            "virtual": self.virtual,
            "bundle": str(self.bundle),
            "bitstream": what.bitstream,
            "clock_predicted": what.bitstream is None,
            **measured,
            **planned,
            **{k: getattr(found, k) for k in rates},
            "self_test": found.passed,
            "seconds": self.seconds,
        }


def check_bundle(bundle: Bundle, network: Network, board: str | None, *, virtual: bool) -> None:
    """DamagedError unless a bundle is of this network, for this board where one is named, and has a
    bitstream where one is needed."""
    what = bundle.manifest
    if (digest := content_hash(network)) != what.info.network:
        raise DamagedError(
            f"{bundle.folder}: made for network {what.info.network[:12]}, this one is "
            f"{digest[:12]}; deploy this one without --bundle"
        )
    if board is not None and board_named(board).name != what.board:
        raise DamagedError(
            f"{bundle.folder}: made for {what.board}, not for {board}; drop --board or --bundle"
        )
    if what.bitstream is None and not virtual:
        raise DamagedError(
            f"{bundle.folder}: has no bitstream, as it was made for the virtual board; add "
            "--virtual, or deploy without --bundle"
        )


def deploy(
    bundle: Bundle,
    tests: Examples,
    *,
    port: str | None = None,
    virtual: bool = False,
    flash: bool = False,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> Deployment:
    """Loads the board of `bundle` and holds its answers to `tests` against the golden model.

    port: of the serial line; None finds it. virtual: nothing is loaded, the Verilog runs in
    Verilator. flash: keep the bitstream when the power is off. tick: images done and in all.
    Raises LoadError, DeviceError, SimulatorError, DamagedError.
    """
    began = time.monotonic()
    what = bundle.manifest
    with _powered(bundle, port, virtual, flash) as line, _opened(bundle, line, virtual) as device:
        images, labels, scores = (a.tolist() for a in (tests.images, tests.labels, tests.scores))
        found = board_check.run(device, what, images, labels, scores, tick)
    name = "virtual" if virtual else line
    return Deployment(found, what.board, name, virtual, bundle.folder, time.monotonic() - began)


@contextmanager
def _powered(bundle: Bundle, port: str | None, virtual: bool, flash: bool) -> Iterator[str]:
    """The port of a board that runs the bundle's design."""
    what = bundle.manifest
    if virtual:
        with VirtualBoard(bundle) as running:
            yield running.port
        return
    assert what.bitstream is not None, "check_bundle holds"
    line = port or ports.find(what.board, what.uart)
    loader.load(board_named(what.board), bundle.folder / what.bitstream, flash=flash)
    yield line


def _opened(bundle: Bundle, port: str, virtual: bool) -> BoardConnection:
    """The board, which may need some time to start; another one than the bundle's is refused."""
    timeout = PATIENCE if virtual else TIMEOUT
    info, end = bundle.info, time.monotonic() + WAKING
    while True:
        try:
            return BoardConnection.open(
                port, info.baud, network=info.network, design=info.design, timeout=timeout
            )
        except DeviceError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def table(found: Deployment) -> Table:
    """The board beside the golden model and the plan."""
    what, place = found.check.manifest, "the virtual board" if found.virtual else found.port
    title = f"{what.name} on {found.board}, {place}: {found.check.images} images of {what.data}"
    drawn = Table(title=title, title_justify="left")
    for column in ("", "board", "golden model, plan"):
        drawn.add_column(column, justify="right" if column == "board" else "left")
    speed = "of the simulation" if found.virtual else "measured here"
    for row in found.check.rows(speed):
        drawn.add_row(*row)
    drawn.add_row("seconds in all", f"{found.seconds:.1f}", "")
    drawn.caption = found.check.first_mismatch
    return drawn
