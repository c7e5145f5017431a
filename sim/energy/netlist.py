"""A synthesised netlist with a name for each net, and the kind of cell that drives it.

yosys renames nets when it writes Verilog; here bit 17 of its JSON is the net `n17`, so that a
count of toggles finds its way back to the cell.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Literal

from gen.flow.netlist import Cell, instance
from gen.flow.synth import Netlist
from gen.support.devices import FamilyName

Kind = Literal["lut", "ff", "carry", "bram", "dsp"]
KINDS: tuple[Kind, ...] = ("lut", "ff", "carry", "bram", "dsp")
BEGINNINGS: Mapping[FamilyName, tuple[tuple[str, Kind], ...]] = {
    "ice40": (("SB_DFF", "ff"), ("SB_CARRY", "carry"), ("SB_RAM", "bram"), ("SB_MAC16", "dsp")),
    "ecp5": (("TRELLIS_FF", "ff"), ("DP16KD", "bram"), ("MULT", "dsp")),
    "gowin": (
        *(("DFF", "ff"), ("SP", "bram"), ("SDP", "bram"), ("DPB", "bram"), ("DPX", "bram")),
        *(("MULT", "dsp"),),
    ),
}
"""Kind of a type of cell by how its name begins; all others are made of LUTs."""
CARRY_PINS = ("CO", "COUT", "S0_CARRY")
"""Outputs that end in the next cell of a carry chain."""
MUXES = ("PFUMX", "L6MUX21", "MUX2_")
"""Multiplexers within a slice: their input is part of the LUT before them, so no further level."""
ENABLES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "SB_RAM40_4K": (("RE", "RCLKE"), ("WE", "WCLKE")),
    "DP16KD": (("CEA",), ("CEB",)),
    "SP": (("CE",),), "SPX9": (("CE",),),
    "SDPB": (("CEA",), ("CEB",)), "SDPX9B": (("CEA",), ("CEB",)),
    "DPB": (("CEA",), ("CEB",)), "DPX9B": (("CEA",), ("CEB",)),
}  # fmt: skip
"""Pins of each port of a block of RAM which are all 1 in a cycle in which it is accessed."""


@dataclass(frozen=True)
class NamedNetlist:
    """Verilog of the cells, net `n<bit>` for each bit. drivers: the kind that drives each net.
    levels: LUTs between registers and each net behind logic, itself included. cells: how many of
    each kind. ports: the enabling nets of each port of a block of RAM; none where it always is."""

    verilog: str
    drivers: Mapping[str, Kind]
    levels: Mapping[str, int]
    cells: Mapping[Kind, int]
    ports: tuple[tuple[str, ...], ...]


def named(netlist: Netlist, family: FamilyName) -> NamedNetlist:
    """The netlist of synthesis with names of its own."""
    module = json.loads(netlist.path.read_text(encoding="utf-8"))["modules"][netlist.top]
    cells = [c for c in module["cells"].values() if not c["type"].startswith("$")]
    drivers: dict[str, Kind] = {}
    for cell in cells:
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "output":
                kind = _pin_kind(cell["type"], pin, family)
                drivers |= {f"n{bit}": kind for bit in bits if isinstance(bit, int)}
    counts = Counter(cell_kind(cell["type"], family) for cell in cells)
    ports = tuple(port for cell in cells for port in _enables(cell))
    text = _verilog(module, cells, netlist.top)
    return NamedNetlist(text, drivers, levels(cells, family), counts, ports)


def levels(cells: list[Cell], family: FamilyName) -> dict[str, int]:
    """LUTs on the longest way from a register to each net behind logic; a carry is no level."""
    logic = {i: c for i, c in enumerate(cells) if cell_kind(c["type"], family) in ("lut", "carry")}
    made_by = {b: i for i, cell in logic.items() for b in _bits(cell, "output")}
    before = {
        i: {made_by[b] for b in _bits(cell, "input") if b in made_by} - {i}
        for i, cell in logic.items()
    }
    level: dict[int, int] = {}
    for i in TopologicalSorter(before).static_order():
        cell = cells[i]
        enters = max((level.get(bit, 0) for bit in _bits(cell, "input")), default=0)
        own = cell_kind(cell["type"], family) == "lut" and not cell["type"].startswith(MUXES)
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "output":
                leaves = enters + (own and pin not in CARRY_PINS)
                level |= {bit: leaves for bit in bits if isinstance(bit, int)}
    return {f"n{bit}": max(1, n) for bit, n in level.items()}


def _bits(cell: Cell, direction: str) -> set[int]:
    """Nets at the inputs or outputs of a cell."""
    pins = cell["port_directions"]
    joined = (bits for pin, bits in cell["connections"].items() if pins[pin] == direction)
    return {bit for bits in joined for bit in bits if isinstance(bit, int)}


def cell_kind(name: str, family: FamilyName) -> Kind:
    """Kind of a type of cell."""
    return next((kind for start, kind in BEGINNINGS[family] if name.startswith(start)), "lut")


def _pin_kind(name: str, pin: str, family: FamilyName) -> Kind:
    kind = cell_kind(name, family)
    return "carry" if kind == "lut" and pin in CARRY_PINS else kind


def _enables(cell: Cell) -> list[tuple[str, ...]]:
    """Nets that enable each port of a block of RAM; a port that never is enabled is left out."""
    ports = []
    for pins in ENABLES.get(cell["type"], ()):
        bits = [cell["connections"].get(pin, ["1"])[0] for pin in pins]
        if "0" not in bits:
            ports.append(tuple(f"n{bit}" for bit in bits if isinstance(bit, int)))
    return ports


def _verilog(module: Mapping[str, Any], cells: list[Cell], top: str) -> str:
    ports, ties = [], []
    for name, port in module["ports"].items():
        size, into = len(port["bits"]), port["direction"] == "input"
        ports.append(f"{port['direction']} {f'[{size - 1}:0] ' if size > 1 else ''}{name}")
        for i, bit in enumerate(port["bits"]):
            pin, net = (f"{name}[{i}]" if size > 1 else name), _bit(bit)
            ties.append(f"assign {net} = {pin};" if into else f"assign {pin} = {net};")
    bits = {b for c in cells for pin in c["connections"].values() for b in pin}
    bits |= {b for port in module["ports"].values() for b in port["bits"]}
    wires = [f"(* keep *) wire n{bit};" for bit in sorted(b for b in bits if isinstance(b, int))]
    made = [_cell(f"c{i}", cell) for i, cell in enumerate(cells)]
    return "\n".join([f"module {top}({', '.join(ports)});", *wires, *ties, *made, "endmodule\n"])


def _cell(name: str, cell: Cell) -> str:
    pins = {
        pin: f"{{{', '.join(_bit(bit) for bit in reversed(bits))}}}"
        for pin, bits in cell["connections"].items()
        if bits and not (cell["port_directions"][pin] == "output" and set(bits) <= {"x"})
    }
    settings = {key: _value(value) for key, value in cell["parameters"].items()}
    return instance(cell["type"], name, settings, pins)


def _bit(bit: int | str) -> str:
    return f"n{bit}" if isinstance(bit, int) else f"1'b{bit}"


def _value(text: str) -> str:
    """A parameter: yosys' JSON writes bits as such, and ends a word that looks like bits with a
    space."""
    bits = bool(text) and not set(text) - set("01xz")
    return f"{len(text)}'b{text}" if bits else json.dumps(text.removesuffix(" "))
