"""The bitstream of a GW1N-9 as Verilog of yosys' Gowin cells.

Wires are followed backwards from the output pins, so cells that no pin depends on are left out.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from gen.flow import netlist
from gen.flow.build import Build
from gen.flow.routing import PINS_FILE
from gen.host.hashes import of_file
from gen.recover import gowin_cells, gowin_fuses
from gen.recover.cell_models import RecoverError
from gen.recover.gowin_cells import TileReader
from gen.recover.gowin_fuses import Fuses, Tile, Wire
from gen.support import tools
from gen.support.cache import Cache, sources
from gen.support.devices import Device

CHIP = "GW1N-9C"
CONSTANTS = {"VCC": "1'b1", "VSS": "1'b0"}


def read_back(built: Build, device: Device, cache: Cache) -> Path:
    """Verilog of the cells that a bitstream configures, with the names of its pins."""
    bits, pins = built.files["bitstream"], built.files["log"].with_name(PINS_FILE["gowin"])
    part = device.part[device.part.index("--device") + 1]

    def make(folder: Path) -> float:
        began = time.monotonic()
        tracer = WireTracer(Fuses(bits, CHIP, part), pin_numbers(pins.read_text()))
        (folder / "recovered.v").write_text(tracer.verilog(built.top))
        return time.monotonic() - began

    inputs = {
        "bitstream": of_file(bits),
        "pins": of_file(pins),
        "top": built.top,
        "tool": tools.version("gowin_pack"),
        "reader": sources(sys.modules[__name__], gowin_cells, gowin_fuses, netlist),
    }
    return cache.step("unpack", inputs, make).folder / "recovered.v"


def pin_numbers(constraints: str) -> dict[str, str]:
    """Pin of the package by port, bits of a bus as name[i]."""
    return dict(re.findall(r'^IO_LOC "([^"]+)" (\w+);', constraints, re.MULTILINE))


class WireTracer:
    """The driver of each wire, from the fuses. pins: of the package, by port."""

    def __init__(self, fuses: Fuses, pins: dict[str, str]) -> None:
        self.fuses = fuses
        self.source: dict[Wire, Wire] = {}
        self.makers: dict[Wire, Callable[[], str]] = {}
        self.inputs: dict[Wire, str] = {}
        self.outputs: dict[str, Wire] = {}
        self.waiting: list[Wire] = []
        tiles = {(row, column): tile for row, column, tile in fuses.tiles()}
        for (row, column), tile in tiles.items():
            at = TileReader(fuses, row, column, self.net)
            self.source |= {at.wire(to): at.wire(by) for to, by in tile.pips.items()}
            self._cells(at, tile)
        self._tap({TileReader(fuses, r, c, self.net): tile for (r, c), tile in tiles.items()})
        for port, pin in pins.items():
            row, column, pad = fuses.pin(pin)
            wires = fuses.db[row, column].bels[f"IOB{pad}"].portmap
            if "OBUF" in tiles[row, column].bels.get(f"IOB{pad}", ()):
                self.outputs[port] = fuses.wire(row, column, wires["I"])
            else:
                self.inputs[fuses.wire(row, column, wires["O"])] = port

    def _tap(self, tiles: dict[TileReader, Tile]) -> None:
        """Takes the driven one of clock spines that the fuses do not tell apart."""
        for at, tile in tiles.items():
            for to, spines in tile.taps.items():
                driven = [by for by in spines if at.wire(by) in self.source]
                if len(driven) > 1:
                    raise RecoverError(f"{at.wire(to)}: one of {', '.join(driven)}; use one clock")
                if driven:
                    self.source[at.wire(to)] = at.wire(driven[0])

    def _cells(self, at: TileReader, tile: Tile) -> None:
        """Registers, for each cell output of a tile, the function that writes the cell."""
        bels = self.fuses.db[at.row, at.column].bels
        for n in (n for n in range(8) if f"LUT{n}" in bels):
            self.makers[at.wire(f"F{n}")] = partial(gowin_cells.lut, at, n)
            self.makers[at.wire(f"OF{n}")] = partial(gowin_cells.mux, at, n)
        for name, flags in tile.bels.items():
            if match := re.fullmatch(r"(ALU|DFF)(\d)", name):
                self._numbered(at, match[1], int(match[2]), frozenset(flags))
        if "RAM16" in tile.bels:
            for n in range(4):
                self.makers[at.wire(f"F{n}")] = partial(gowin_cells.lut_ram, at, n)
        if "BSRAM" in bels:
            outs = (w for pin, w in bels["BSRAM"].portmap.items() if re.match(r"DO[AB]\d", pin))
            self.makers |= {at.wire(out): partial(gowin_cells.block_ram, at) for out in outs}

    def _numbered(self, at: TileReader, kind: str, n: int, flags: frozenset[str]) -> None:
        if kind == "DFF":
            self.makers[at.wire(f"Q{n}")] = partial(gowin_cells.flop, at, n, flags)
            return
        beside = self.fuses.wire(at.row, at.column + 1, "CIN0")
        carry = at.wire(f"CIN{n + 1}") if n < 5 else beside
        self.makers[at.wire(f"F{n}")] = partial(gowin_cells.alu_sum, at, n)
        self.makers[carry] = partial(gowin_cells.alu_carry, at, n, carry)

    def net(self, wire: Wire) -> str:
        """The driver of a wire: a port, a constant, or a cell's output, which is then written."""
        while wire in self.source and wire not in self.inputs and wire not in self.makers:
            wire = self.source[wire]
        if wire in self.inputs:
            return self.inputs[wire]
        if wire not in self.makers:
            return CONSTANTS.get(wire, "1'b0")  # no carry goes in
        self.waiting.append(wire)
        return wire

    def verilog(self, top: str) -> str:
        """The module: its ports, and all cells that an output depends on."""
        ends = [f"assign {port} = {self.net(wire)};" for port, wire in self.outputs.items()]
        cells: dict[Wire, str] = {}
        while self.waiting:
            if (wire := self.waiting.pop()) not in cells:
                cells[wire] = self.makers[wire]()
        wires = [f"wire {wire};" for wire in cells]
        once = dict.fromkeys(cells.values())  # a block of RAM drives many wires
        ports = _ports("input", self.inputs.values()) + _ports("output", self.outputs)
        head = f"module {top}({', '.join(ports)});"
        return "\n".join([head, *wires, *once, *ends, "endmodule\n"])


def _ports(way: str, bits: Iterable[str]) -> list[str]:
    sizes: dict[str, int] = {}
    for bit in bits:
        name, _, index = bit.partition("[")
        sizes[name] = max(sizes.get(name, 0), int(index[:-1]) + 1 if index else 0)
    return [f"{way} {f'[{size - 1}:0] ' if size else ''}{name}" for name, size in sizes.items()]
