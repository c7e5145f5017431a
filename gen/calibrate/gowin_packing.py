"""What nextpnr packs of a Gowin netlist, counted without it: it packs only what fits the pins.

Equal to its own counts for whole networks (tests/gen/calibrate/test_gowin_packing.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gen.flow.netlist import bit_of, loads_of
from gen.flow.passes.carries import OPEN
from gen.flow.synth import Netlist

RAM = "RAM16SDP4"
RAM_LUTS, RAM_FLOPS = 8, 6
"""Of a distributed RAM, see gen.flow.place.RESOURCES."""


def luts(netlist: Netlist) -> int:
    """LUTs, the ALUs of carry chains, and those of distributed RAMs."""
    module = json.loads(netlist.path.read_text(encoding="utf-8"))["modules"][netlist.top]
    alone = sum(n for cell, n in netlist.cells.items() if cell.startswith("LUT"))
    return alone + sum(_chains(module)) + RAM_LUTS * netlist.cells.get(RAM, 0)


def flip_flops(netlist: Netlist) -> int:
    """Flip-flops, and those that distributed RAMs block."""
    alone = sum(n for cell, n in netlist.cells.items() if cell.startswith("DFF"))
    return alone + RAM_FLOPS * netlist.cells.get(RAM, 0)


def _chains(module: dict[str, Any]) -> Iterator[int]:
    """ALUs of each carry chain: one more lets the carry in, one brings it out where it is read by
    logic, and the chain is filled up to whole pairs."""
    loads = loads_of(module)
    loads.pop(OPEN, None)
    alus = [cell for cell in module["cells"].values() if cell["type"] == "ALU"]
    after = {bit_of(alu, "CIN"): alu for alu in alus}
    carries = {bit_of(alu, "COUT") for alu in alus} - {OPEN}
    for alu in alus:
        if bit_of(alu, "CIN") in carries:
            continue
        length, last = 2, alu
        while (carry := bit_of(last, "COUT")) in carries and carry in after:
            length, last = length + 1, after[carry]
        length += bool(loads.get(carry))
        yield length + length % 2
