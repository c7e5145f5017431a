"""Registers behind ECP5 block RAM, moved into the block, which has its own.

yosys never uses these. Without one, a block RAM's data leave 5.83 ns after the clock, with it
after 0.96 ns (nextpnr 0.11.1, speed grade 6): a read with a register in fabric reaches 140 MHz,
with it inside the block 320 MHz, and its flip-flops are free again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Bit = int | str
Cell = dict[str, Any]


def absorb_output_registers(module: dict[str, Any]) -> int:
    """Moves flip-flops into the DP16KD that they follow, in a yosys JSON module; how many moved.

    The data of a read port move together: every bit that is used goes to one flip-flop alone, and
    all these have the clock of the port, one clock enable, no reset and 0 as their first value.
    """
    cells: dict[str, Cell] = module["cells"]
    loads = _loads(module)
    moved = 0
    for cell in [c for c in cells.values() if c["type"] == "DP16KD"]:
        for port in _ports(cell):
            found = _registers(cell, port, cells, loads)
            if found:
                _move(cell, port, cells, found)
                moved += len(found)
    return moved


@dataclass(frozen=True)
class _Port:
    """A read port: letters of its data pins and of its clock."""

    data: str
    clock: str


def _ports(cell: Cell) -> tuple[_Port, ...]:
    if int(cell["parameters"]["DATA_WIDTH_A"], 2) == 36:  # pseudo dual port: B reads, A writes
        return (_Port("AB", "B"),)
    return _Port("A", "A"), _Port("B", "B")


def _loads(module: Mapping[str, Any]) -> dict[Bit, list[tuple[str, str]]]:
    """(cell, pin) of all inputs that a bit drives; ports of the module have no cell."""
    found: dict[Bit, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in module["cells"].items():
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "input":
                for bit in bits:
                    found[bit].append((name, pin))
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            found[bit].append(("", name))
    return found


def _outputs(cell: Cell, port: _Port) -> dict[str, Bit]:
    pins = (f"DO{letter}{i}" for letter in port.data for i in range(18))
    return {p: cell["connections"][p][0] for p in pins if cell["connections"].get(p)}


def _registers(
    cell: Cell, port: _Port, cells: dict[str, Cell], loads: Mapping[Bit, list[tuple[str, str]]]
) -> dict[str, str]:
    """Flip-flop behind each used data pin, or nothing when one of them does not qualify."""
    found: dict[str, str] = {}
    for pin, bit in _outputs(cell, port).items():
        users = loads.get(bit, [])
        if not users:
            continue
        name, to = users[0]
        if len(users) > 1 or to != "DI" or cells.get(name, {}).get("type") != "TRELLIS_FF":
            return {}
        found[pin] = name
    flops = [cells[name] for name in found.values()]
    same = len({_enable(f) for f in flops}) == 1
    return found if same and all(_fits(f, cell, port) for f in flops) else {}


def _enable(flop: Cell) -> Bit:
    """Bit that enables a flip-flop, '1' when it is always enabled, '' when that is inverted."""
    mux = flop["parameters"].get("CEMUX", "1").strip()
    if mux == "CE":
        return _pin(flop, "CE")
    return "1" if mux == "1" else ""


def _pin(cell: Cell, pin: str) -> Bit:
    bits = cell["connections"].get(pin) or ["x"]
    found: Bit = bits[0]
    return found


def _fits(flop: Cell, cell: Cell, port: _Port) -> bool:
    facts = flop["parameters"]
    inverted = cell["parameters"].get(f"CLK{port.clock}MUX") == "INV"
    return (
        _pin(flop, "CLK") == _pin(cell, f"CLK{port.clock}")
        and (facts.get("CLKMUX") == "INV") == inverted
        and facts.get("REGSET", "RESET") == "RESET"
        and (_pin(flop, "LSR") in ("0", "x") and facts.get("LSRMUX", "LSR") == "LSR")
        and _pin(flop, "M") == "x"
        and _enable(flop) != ""
        and all(_pin(cell, f"RST{letter}") in ("0", "x") for letter in port.data)
    )


def _move(cell: Cell, port: _Port, cells: dict[str, Cell], found: Mapping[str, str]) -> None:
    enable = _enable(cells[next(iter(found.values()))])
    for pin, name in found.items():
        cell["connections"][pin] = cells.pop(name)["connections"]["Q"]
    cell["connections"][f"OCE{port.clock}"] = [enable]
    for letter in port.data:
        cell["parameters"][f"REGMODE_{letter}"] = "OUTREG"
