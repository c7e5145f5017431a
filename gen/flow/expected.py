"""How long place and route will take, by what it took before: nextpnr may run for many minutes.

Seconds of earlier runs are kept beside the built steps of a cache; until there are some of about
the size, figures measured with the tools of pip on two shared cores stand in for them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from gen.support import native_tools
from model.errors import UNREADABLE, RequestError
from model.files import write
from model.records import Count, read

FILES = {False: "place-seconds.json", True: "place-seconds-native.json"}
"""By whether tools are native, which are several times faster."""
MOST = 200
"""Runs that are kept of a family."""
NEAR = 1.5
"""Runs of at most so many times more or fewer LUTs are of about the size."""
STARTING: dict[str, tuple[tuple[int, float], ...]] = {
    "ecp5": (
        (18, 2.5), (344, 2.9), (1205, 9.7), (1475, 22.7), (3476, 25.5), (4242, 42.5),
        (7486, 106.3), (25000, 525.0),
    ),
    "ice40": (
        (95, 3.3), (457, 7.0), (1266, 14.4), (1619, 9.3), (2558, 13.4), (3388, 30.9), (4394, 32.2),
    ),
    "gowin": ((40, 1.2), (85, 1.5), (300, 11.8), (1226, 12.1), (1443, 20.7), (2149, 54.7)),
}  # fmt: skip
"""LUTs and seconds: medians of up to 25 runs of about a size; the largest is a single one."""
_LUTS = {"LUT4": 1, "SB_LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6, "ALU": 1, "RAM16SDP4": 8}
_GOWIN_LUTS = {"LUT1": 1, "LUT2": 1, "LUT3": 1}

Run = tuple[int, float]
"""LUTs and seconds."""


@dataclass(frozen=True)
class _Runs:
    """The file: runs of each family, the latest last."""

    ecp5: list[tuple[Count, Count]]
    ice40: list[tuple[Count, Count]]
    gowin: list[tuple[Count, Count]]


def luts(cells: Mapping[str, int]) -> int:
    """LUTs that a netlist takes, before it is packed."""
    weights = _LUTS | _GOWIN_LUTS
    return sum(weights.get(kind, 0) * number for kind, number in cells.items())


def expected_seconds(family: str, size: int, measured: Sequence[Run] = ()) -> float:
    """Seconds for `size` LUTs: the median of measured runs of about the size, else between or
    beyond the starting figures, as a power of the size."""
    near = [s for n, s in measured if n and size / NEAR <= n <= size * NEAR]
    if near:
        return median(near)
    known = STARTING[family]
    size = max(size, known[0][0])
    above = next((k for k, (n, _) in enumerate(known) if n >= size and k), len(known) - 1)
    (n0, s0), (n1, s1) = known[above - 1], known[above]
    if size > n1:  # beyond all of them: as from the first to the last
        n0, s0 = known[0]
    power = math.log(s1 / s0) / math.log(n1 / n0)
    return float(s1 * (size / n1) ** power)


def runs(root: Path, family: str) -> list[Run]:
    """Runs that were kept under `root`; none where the file is missing or damaged."""
    try:
        return [(int(n), float(s)) for n, s in getattr(_read(root), family)]
    except (*UNREADABLE, RequestError):
        return []


def keep(root: Path, family: str, size: int, seconds: float) -> None:
    """Keeps a run for later. Two that keep one at once may lose one of them."""
    try:
        kept = _read(root)
    except (*UNREADABLE, RequestError):
        kept = _Runs([], [], [])
    known = getattr(kept, family)
    known.append((size, round(seconds, 1)))
    del known[:-MOST]
    write(root / FILES[native_tools.asked()], json.dumps(vars(kept)) + "\n")


def in_words(seconds: float) -> str:
    """`about 40 s`, `about 3 min`: no finer than it can be known."""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    return f"about {round(seconds / 60)} min"


def _read(root: Path) -> _Runs:
    return read(root / FILES[native_tools.asked()], _Runs, error=RequestError)
