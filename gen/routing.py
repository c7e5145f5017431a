"""Whether a router will ever end, from nextpnr's log.

router1 minds the timing, router2 does not: on ECP5 conv layers of 2,300 LUTs reach 154 MHz with the
one and 124 with the other, a network of 14,900 LUTs 104 and 83, in the same time (nextpnr 0.11.1).
But some placements router1 cannot route and tears up the same arcs for ever (seen on HX8K with 2,768
of 7,680 cells), and in congested ones it crawls. Those it leaves to router2 or to another placement.
"""

from __future__ import annotations

import re

SLACK = 1000
"""Arcs torn up beyond the number of arcs in the design: a design that is routed takes 1 to 47 %."""
LONGEST = 300.0
"""Seconds of router1: 64,000 arcs take 23."""
ROWS = 200
"""Iterations of router2 that free no further wire."""

_ARCS = re.compile(r"^Info: Routing (\d+) arcs", re.MULTILINE)
_ROUTER1 = re.compile(r"^Info: +\d+ \| +(\d+) +\d+ \| +\d+ +\d+ \| +\d+\| +\S+ +([\d.]+)\|$", re.M)
_ROUTER2 = re.compile(r"^Info: +iter=\d+ wires=\d+ overused=(\d+)", re.MULTILINE)


def hopeless(log: str) -> bool:
    """Whether a log, as far as it has come, shows that this router is better stopped."""
    arcs, rows = _ARCS.search(log), _ROUTER1.findall(log)
    if arcs and rows:
        torn, seconds = rows[-1]
        return int(torn) > int(arcs[1]) + SLACK or float(seconds) > LONGEST
    overused = [int(n) for n in _ROUTER2.findall(log)]
    return len(overused) > ROWS and min(overused[-ROWS:]) >= min(overused[:-ROWS]) > 0
