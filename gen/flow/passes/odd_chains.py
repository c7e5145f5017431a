"""Carry chains of ECP5 with an odd number of bits, moved up by half a cell.

A cell holds two bits, so the upper half of the last one is idle. It serves better at the bottom:
there it makes the carry into the chain. Where that is constant and the sum of the lowest bit is
read, this bit then needs no LUT beside the chain for its sum (see
gen.flow.passes.carries.start_chains, which comes after). Saves a LUT a chain. Where it is none, as
of all chains that add or subtract (rtl.terms.AddSub), nextpnr need put no pair of LUTs before the
chain to feed the carry in. Saves the pair.
"""

from __future__ import annotations

from typing import Any

from gen.flow.netlist import Bit, Cell, Loads, bit_of, last_net, loads_of
from gen.flow.passes.carries import OPEN

HALF = {
    "connections": ("A{}", "B{}", "C{}", "D{}", "S{}"),
    "parameters": ("INIT{}", "INJECT1_{}"),
}
"""What a half of a cell has; the lower one is number 0."""
CONSTANT = ("0", "1")
HANDS_ON = "1" * 16
"""Contents of a half: its carry out is its carry in."""
LETS_IN = f"{1 << 3:016b}"
"""Its carry out is its input A, while all others are high."""


def move_up(module: dict[str, Any]) -> int:
    """Moves the chains of a flat module of a yosys JSON netlist in place; their number."""
    loads, cells = loads_of(module), module["cells"]
    pairs = [cell for cell in cells.values() if cell["type"] == "CCU2C"]
    inner = {bit_of(cell, "COUT") for cell in pairs} | {OPEN}
    heads = [cell for cell in pairs if bit_of(cell, "CIN") not in inner]
    chains = [chain for head in heads if (chain := _chain(head, cells, loads))]
    free = 1 + last_net(module)
    for k, chain in enumerate(chains):
        for low, high in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True):
            _move(high, low)
        carry = bit_of(chain[0], "CIN")
        _move(chain[0], _carry(carry, free + k))
        if carry not in CONSTANT:
            chain[0]["connections"]["CIN"] = [OPEN]
    return len(chains)


def _chain(head: Cell, cells: dict[str, Cell], loads: Loads) -> list[Cell] | None:
    """The cells of a chain from its first, if moving it up saves a LUT or more."""
    if bit_of(head, "CIN") in CONSTANT and not loads.get(bit_of(head, "S0")):
        return None
    chain = [head]
    while readers := loads.get(bit_of(chain[-1], "COUT")):
        (name, pin), *more = readers
        if more or pin != "CIN" or cells[name]["type"] != "CCU2C":
            return None
        chain.append(cells[name])
    return None if loads.get(bit_of(chain[-1], "S1")) else chain


def _carry(carry: Bit, unread: Bit) -> Cell:
    """An upper half that makes a carry; its sum is not read."""
    pins: dict[str, list[Bit]] = {f"{pin}1": ["1"] for pin in "ABCD"}
    constant = carry in CONSTANT
    return {
        "connections": pins | {"S1": [unread]} | ({} if constant else {"A1": [carry]}),
        "parameters": {"INIT1": HANDS_ON if constant else LETS_IN, "INJECT1_1": "NO"},
    }


def _move(cell: Cell, before: Cell) -> None:
    """The lower half of a cell becomes its upper one, the upper one of `before` its lower one."""
    for kind, names in HALF.items():
        for name in names:
            cell[kind][name.format(1)] = cell[kind][name.format(0)]
            cell[kind][name.format(0)] = before[kind][name.format(1)]
