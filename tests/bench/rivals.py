"""Ours beside a rival, as a table; and designs that no router finished, which are kept as that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.table import Table

from gen.flow.routing import attempts
from gen.support.cache import Cache
from gen.support.devices import Device
from gen.support.tools import HopelessError, ToolError, version

LATE = "took more than"
"""How the reason begins of a tool that was stopped by its time limit."""
RIGHT = ("ours", "theirs", "ratio")
T = TypeVar("T")


@dataclass(frozen=True)
class Rivalry:
    """One figure of ours and of a rival. unit: of both. fewer: whether the smaller one is better.

    None: that side could not be routed.
    """

    what: str
    unit: str
    ours: float | None
    rival: str
    theirs: float | None
    fewer: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better ours is; None where a side is missing."""
        if not self.ours or not self.theirs:
            return None
        return self.theirs / self.ours if self.fewer else self.ours / self.theirs


def table(rivalries: Iterable[Rivalry]) -> Table:
    """What, ours, rival, ratio."""
    made = Table(title="beside others; ratio: how many times better ours is", title_justify="left")
    for column in ("what", "unit", "ours", "rival", "theirs", "ratio"):
        made.add_column(column, justify="right" if column in RIGHT else "left")
    for one in rivalries:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        ours, theirs = _written(one.ours), _written(one.theirs)
        made.add_row(one.what, one.unit, ours, one.rival, theirs, ratio)
    return made


def _written(figure: float | None) -> str:
    return "not routed" if figure is None else f"{figure:,.0f}"


def routed(
    verilog: str, device: Device, mhz: float, cache: Cache, make: Callable[[], T]
) -> T | str:
    """What `make` places and routes of `verilog`; or why no router could, or not in time.

    That is kept in `cache` as results are, since it takes hours to see; other errors are raised.
    """
    inputs = _inputs(verilog, device, mhz)
    if entry := cache.kept("unrouted", inputs):
        return (entry.folder / "why").read_text()
    try:
        return make()
    except ToolError as error:
        if not isinstance(error, HopelessError) and not error.reason.startswith(LATE):
            raise
        why = str(error)

    def keep(folder: Path) -> float:
        (folder / "why").write_text(why)
        return 0.0

    cache.step("unrouted", inputs, keep)
    return why


def _inputs(verilog: str, device: Device, mhz: float) -> Mapping[str, object]:
    return {
        "verilog": hashlib.sha256(verilog.encode()).hexdigest(),
        "flags": attempts(device, mhz, 1),
        "tools": [version(tool) for tool in ("yosys", f"nextpnr-{device.family}")],
    }
