"""A netlist as nextpnr-ecp5 placed and routed it, as Verilog of yosys' ECP5 cells."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from gen.flow import netlist
from gen.flow.netlist import Cell, instance
from gen.host.hashes import of_file
from gen.recover.cell_models import ECP5_BLOCKS, RecoverError
from gen.support.cache import Cache, sources

RAMW = {
    **{f"WDO{i}": f"{pin}1" for i, pin in enumerate("CADB")},
    **{f"WADO{i}": f"{pin}0" for i, pin in enumerate("DBCA")},
}
"""Output of the slice that drives a distributed RAM, and the input that it passes on."""


def as_verilog(routed: Path, top: str, cache: Cache) -> Path:
    """Verilog of nextpnr's JSON in file `routed`."""

    def make(folder: Path) -> float:
        (module,) = json.loads(routed.read_text(encoding="utf-8"))["modules"].values()
        (folder / "routed.v").write_text(_module(module, top))
        return 0.0

    writer = sources(sys.modules[__name__], netlist)
    inputs = {"routed": of_file(routed), "top": top, "writer": writer}
    return cache.step("routed", inputs, make).folder / "routed.v"


def _module(module: dict[str, Any], top: str) -> str:
    ports, ties = [], []
    for name, port in module["ports"].items():
        size = len(port["bits"])
        ports.append(f"{port['direction']} {f'[{size - 1}:0] ' if size > 1 else ''}{name}")
        for i, bit in enumerate(port["bits"]):
            pin = f"{name}[{i}]" if size > 1 else name
            is_in = port["direction"] == "input"
            ties.append(f"assign n{bit} = {pin};" if is_in else f"assign {pin} = n{bit};")
    cells = [_cell(f"c{i}", cell) for i, cell in enumerate(module["cells"].values())]
    bits = {b for c in module["cells"].values() for pin in c["connections"].values() for b in pin}
    wires = [f"wire n{bit};" for bit in sorted(bits)]
    return "\n".join([f"module {top}({', '.join(ports)});", *wires, *ties, *cells, "endmodule\n"])


def net(cell: Cell, pin: str, otherwise: str = "1'b0") -> str:
    """Expression of what the multiplexer of a pin passes. A wire that nothing drives is 1.

    otherwise: at a pin that has neither a multiplexer nor a wire.
    """
    mux, bits = parameter(cell, f"{pin}MUX"), cell["connections"].get(pin)
    if mux in ("0", "1"):
        return f"1'b{mux}"
    if mux == "INV":
        return f"~n{bits[0]}" if bits else "1'b0"
    if not bits:
        return "1'b1" if mux == pin else otherwise
    return f"n{bits[0]}"


def parameter(cell: Cell, name: str) -> str:
    """A parameter without the space that nextpnr adds to words that look like numbers."""
    value: str = cell["parameters"].get(name, "")
    return value.strip()


def _cell(name: str, cell: Cell) -> str:
    kind, out = cell["type"], cell["connections"]
    if kind == "TRELLIS_COMB":
        return _comb(name, cell)
    if kind == "TRELLIS_FF":
        return _flop(name, cell)
    if kind == "TRELLIS_RAMW":
        pairs = [(out[to][0], net(cell, by)) for to, by in RAMW.items() if out.get(to)]
        return "\n".join(f"assign n{to} = {by};" for to, by in pairs)
    if kind == "DCCA":
        return f"assign n{out['CLKO'][0]} = {net(cell, 'CLKI')};"
    if kind == "TRELLIS_IO":
        to, by = ("O", "B") if parameter(cell, "DIR") == "INPUT" else ("B", "I")
        return f"assign n{out[to][0]} = {net(cell, by)};"
    if kind not in ECP5_BLOCKS:
        raise RecoverError(f"{kind}: no model of this cell of a routed ECP5 netlist")
    return _block(name, cell)


def _comb(name: str, cell: Cell) -> str:
    """Half a slice: LUT, multiplexer behind it, half a carry pair, or a bit of distributed RAM."""
    mode, init = parameter(cell, "MODE") or "LOGIC", f"16'b{parameter(cell, 'INITVAL')}"
    if mode == "RAMW_BLOCK":
        return ""
    ins = {pin: net(cell, pin, "1'b1") for pin in "ABCD"}
    if mode == "CCU2":
        return _carry(name, cell, ins, init)
    upper = int(cell["attributes"]["NEXTPNR_BEL"].endswith("K1"))
    ins |= {p: net(cell, p) for p in ("M", "F1", "FXA", "FXB", "WD", "WRE", "WCK")}
    ins |= {f"WAD{i}": net(cell, f"WAD{i}") for i in range(4)}
    outs = {p: f"n{cell['connections'][p][0]}" for p in ("F", "OFX") if cell["connections"].get(p)}
    settings = {"MODE": f'"{mode}"', "INITVAL": init, "IS_Z1": f"1'b{upper}"}
    return instance("TRELLIS_COMB", name, settings, ins | outs)


def _carry(name: str, cell: Cell, ins: dict[str, str], init: str) -> str:
    """Half a carry pair, as in yosys' CCU2C: its TRELLIS_COMB has no carry out in this mode."""
    alone = parameter(cell, "CCU2_INJECT1") == "YES"  # what comes in is not added
    half, low, carry = f"{name}_half", f"{name}_low", net(cell, "FCI")
    total, generated = (half, "1'b0") if alone else (f"{half} ^ {carry}", low)
    lines = [
        f"wire {half}, {low};",
        instance("LUT4", f"{name}_lut", {"INIT": init}, ins | {"Z": half}),
        instance("LUT2", f"{name}_lut2", {"INIT": f"4'b{init[-4:]}"},
                  {"A": ins["A"], "B": ins["B"], "Z": low}),
    ]  # fmt: skip
    for pin, value in (("F", total), ("FCO", f"{half} ? {carry} : {generated}")):
        if bits := cell["connections"].get(pin):
            lines.append(f"assign n{bits[0]} = {value};")
    return "\n".join(lines)


def _flop(name: str, cell: Cell) -> str:
    data = net(cell, "M" if parameter(cell, "SD") == "0" else "DI")
    pins = {"Q": f"n{cell['connections']['Q'][0]}", "DI": data}
    pins |= {"CLK": net(cell, "CLK"), "CE": net(cell, "CE", "1'b1")}
    pins["LSR"] = net(cell, "LSR") if cell["connections"].get("LSR") else "1'b0"
    settings = {p: f'"{parameter(cell, p)}"' for p in ("SRMODE", "REGSET")}
    settings = {p: word for p, word in settings.items() if word != '""'}
    settings["CEMUX"] = '"CE"'
    return instance("TRELLIS_FF", name, settings, pins)


def _block(name: str, cell: Cell) -> str:
    muxes = [name for name in cell["parameters"] if name.endswith("MUX")]
    used = [pin for pin, bits in cell["connections"].items() if bits]
    used += [name.removesuffix("MUX") for name in muxes]
    pins = {pin: net(cell, pin) for pin in used}
    settings = {n: _value(v) for n, v in cell["parameters"].items() if n not in muxes}
    return instance(cell["type"], name, settings, pins)


def _value(text: str) -> str:
    return f"{len(text)}'b{text}" if re.fullmatch("[01]+", text) else f'"{text.strip()}"'
