"""Whether a router will ever end, from nextpnr's log.

Some placements nextpnr 0.11.1 cannot route, and goes on for ever: seen on HX8K with 2,768 of 7,680
cells, where seed 2 tears up the same arcs again and again and seed 1 takes 8 s. Counted in
iterations and not in seconds, so that every machine gives up at the same point.
"""

from __future__ import annotations

import re

ROWS = 200
"""Rows without progress: of router1, 1000 arcs each, or iterations of router2."""

_ROUTER1 = re.compile(
    r"^Info: +\d+ \| +\d+ +(?P<new>\d+) \| +\d+ +\d+ \| +(?P<left>\d+)\|", re.MULTILINE
)
_ROUTER2 = re.compile(r"^Info: +iter=\d+ wires=\d+ overused=(\d+)", re.MULTILINE)


def hopeless(log: str) -> bool:
    """Whether the last ROWS rows of a log's end routed no further arc, or freed no further wire."""
    arcs = [(int(m["new"]), int(m["left"])) for m in _ROUTER1.finditer(log)]
    if len(arcs) > ROWS and len(set(arcs[-ROWS:])) == 1:
        return True
    overused = [int(n) for n in _ROUTER2.findall(log)]
    return len(overused) > ROWS and min(overused[-ROWS:]) >= min(overused[:-ROWS]) > 0
