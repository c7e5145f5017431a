"""Arguments of nextpnr, and whether its router will ever end, judged by the log.

The placer gives up by itself, by default late: a network of 4,965 of an UP5K's 5,280 cells was
given up after 24 minutes, or 7 s with LEGALISATIONS; one of 3,966 came out the same with both.

router1 is driven by timing, router2 is not: on ECP5 conv layers of 2,300 LUTs reach 154 MHz with
one and 124 with the other, a network of 14,900 LUTs 104 and 83, in the same time (nextpnr 0.11.1).
But router1 cannot route some placements and rips up the same arcs for ever (seen on HX8K with 2,768
of 7,680 cells), and in congested ones it crawls. Those it leaves to router2 or to another
placement.
"""

from __future__ import annotations

import re

from gen.support.devices import Device

PINS_FILE = {"ecp5": "pins.lpf", "ice40": "pins.pcf", "gowin": "pins.cst"}
ROUTED_FILE = {"ecp5": "routed.config", "ice40": "routed.asc", "gowin": "routed.json"}
CORE = ("--out-of-context",)
NETLIST_FILE = "routed.json"
LEGALISATIONS = 100
"""A cell may try as many places as the square of the number of cells has, divided by this."""
PLACEMENTS = 3
"""Placements to try until one is routed."""
SLACK = 1000
"""Arcs that router1 may rip up beyond the number of arcs in the design; those that were routed took
1 to 47 % of that number."""
LONGEST = 300.0
"""Most seconds of router1; 64,000 arcs take 23."""
ROWS = 200
"""Iterations of router2 without fewer overused wires after which it is stopped."""

_ARCS = re.compile(r"^Info: Routing (\d+) arcs", re.MULTILINE)
_ROUTER1 = re.compile(
    r"^Info: +\d+ \| +(\d+) +\d+ \| +\d+ +\d+ \| +\d+\| +\S+ +([\d.]+)\|$", re.MULTILINE
)
_ROUTER2 = re.compile(r"^Info: +iter=\d+ wires=\d+ overused=(\d+)", re.MULTILINE)


def arguments(
    device: Device, mhz: float, seed: int, router: str = "router1", *, core: bool = False
) -> tuple[str, ...]:
    """Arguments of nextpnr, but for the netlist. core: without pins, on ECP5 alone."""
    pins, routed = PINS_FILE[device.family], ROUTED_FILE[device.family]
    own = {
        "ecp5": ("--router", router, *(CORE if core else ("--lpf", pins, "--textcfg", routed))),
        "ice40": ("--router", router, "--pcf", pins, "--asc", routed),
        "gowin": ("--vopt", f"cst={pins}", "--write", routed),
    }[device.family]
    common = ("--freq", f"{mhz:g}", "--seed", str(seed), "--report", "report.json")
    patience = ("--placer-heap-cell-placement-timeout", str(LEGALISATIONS))
    return (*device.part, *own, *common, *patience, "--timing-allow-fail")


def attempts(device: Device, mhz: float, seed: int, *, core: bool = False) -> list[tuple[str, ...]]:
    """Arguments to try one after another until a design is routed. core: as for `arguments`."""
    routers = {"ecp5": ("router1", "router2"), "ice40": ("router2",), "gowin": ("",)}
    return [
        arguments(device, mhz, seed + 1000 * i, router, core=core)
        for i in range(PLACEMENTS)
        for router in routers[device.family]
    ]


def hopeless(log: str) -> bool:
    """Whether the log so far shows that this router will not end in reasonable time."""
    arcs, rows = _ARCS.search(log), _ROUTER1.findall(log)
    if arcs and rows:
        ripped_up, seconds = rows[-1]
        return int(ripped_up) > int(arcs[1]) + SLACK or float(seconds) > LONGEST
    overused = [int(n) for n in _ROUTER2.findall(log)]
    return len(overused) > ROWS and min(overused[-ROWS:]) >= min(overused[:-ROWS]) > 0
