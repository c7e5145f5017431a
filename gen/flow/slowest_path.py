"""The slowest path of a routed design in words: from which part of which block to which.

nextpnr's report names the cells of a path. Synthesis keeps the hierarchy in the names of flip-flops
and memories (`conv2.window.slot.ky_last_SB_DFFESR_Q_3`); of other cells it strings together those
of their neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.records import Count

PARTS = {
    "window": "window reader",
    "ahead": "pixel counters",
    "slot": "loop counters",
    "ring": "line buffer",
    "weights": "weight memory",
    "bank": "weight ROM",
    "weight_count": "weight counter",
    "pe": "processing elements",
    "graph": "adder graph",
    "requantise": "requantiser",
    "table": "requantiser's table",
    "partial": "pool's memory",
    "cell": "pool's addresses",
    "at": "position counters",
    "row": "position counters",
    "column": "position counters",
    "queue": "FIFO",
    "acc": "accumulator",
    "before": "accumulator",
    "sum": "adder tree",
    "o__payload": "output register",
    "out": "output register",
    "spare": "output register",
}
"""Parts of a block, by the names of its modules and signals without their numbers."""
ENABLES = ("CE", "CEN", "EN", "RCLKE", "WCLKE", "RE", "WE")
_TOOLS = re.compile(r"_(SB|TRELLIS|LUT\d|L6MUX21|PFUMX|CCU2C|DP16KD|MULT|DFF|ALU|MUX\d|RAM)_?.*")
_NAME = re.compile(r"(?:addsub_)?([a-z_]*[a-z])")


@dataclass(frozen=True)
class SlowestPath:
    """A path between two registers. routing: share of its delay in ns that wires take, 0 to 1.

    start, end: parts of blocks in words. from_cell, to_cell: as nextpnr calls them.
    """

    start: str
    end: str
    ns: Count
    routing: Count
    from_cell: str
    to_cell: str

    def __str__(self) -> str:
        share = f"{100 * self.routing:.0f} % routing"
        return f"from {self.start} to {self.end}: {self.ns:.1f} ns, {share}"


def slowest_path(report: Mapping[str, Any]) -> SlowestPath | None:
    """The longest path from clock to clock of a report of nextpnr; None where it names none."""
    paths = [p["path"] for p in report.get("critical_paths", ()) if _clocked(p) and p["path"]]
    if not paths:
        return None
    steps = max(paths, key=_delay)
    first, last = steps[0]["from"], steps[-1]["to"]
    total = _delay(steps)
    wires = sum(step["delay"] for step in steps if step["type"] == "routing")
    end = part(last["cell"])
    if last["port"].upper() in ENABLES:
        end = f"clock enable of {end}"
    return SlowestPath(
        part(first["cell"]), end, round(total, 3), round(wires / total, 3) if total else 0.0,
        first["cell"], last["cell"],
    )  # fmt: skip


def part(cell: str) -> str:
    """What a cell belongs to: the part of the block that its name says, or as much as it says."""
    block, *inner = _TOOLS.sub("", cell).split(".")
    if all(name.isdigit() for name in inner):  # pieces of a memory of the top level
        return block
    plain = [match[1] for name in reversed(inner) if (match := _NAME.match(name))]
    return f"{next((PARTS[name] for name in plain if name in PARTS), 'registers')} of {block}"


def _clocked(path: Mapping[str, Any]) -> bool:
    return all("async" not in path[end] for end in ("from", "to"))


def _delay(steps: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(step["delay"] for step in steps))
