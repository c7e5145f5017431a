"""What synthesis made of a design, counted in its netlist."""

from __future__ import annotations

from pathlib import Path

from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import device

BLOCK_CELLS = {
    "lfe5u-25f": ("DP16KD",),
    "ice40-up5k": ("SB_RAM40_4K",),
    "gw1nr-9": ("SP", "SPX9", "DPB", "DPX9B", "SDPB", "SDPX9B"),
}
"""Cells that take a block of RAM, by device."""


def blocks(name: str, text: str, cache: Path, top: str = "top") -> int:
    """Blocks of RAM that Verilog `text` takes on the device `name`."""
    netlist = synthesise(text, top, device(name), cache=Cache(cache))
    return sum(netlist.cells.get(cell, 0) for cell in BLOCK_CELLS[name])
