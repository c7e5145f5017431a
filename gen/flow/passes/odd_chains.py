"""Carry chains of ECP5 with an odd number of bits, moved up by half a cell.

A cell holds two bits, so the upper half of the last one is idle. Where the carry into a chain is
constant and the sum of its lowest bit is read, that idle half serves better at the bottom: there it
makes the carry, and the lowest bit needs no LUT beside the chain for its sum (see
gen.flow.passes.carries.start_chains, which comes after). Saves a LUT a chain.
"""

from __future__ import annotations

from typing import Any

from gen.flow.netlist import Bit, Cell, Loads, bit_of, last_net, loads_of

HALF = {
    "connections": ("A{}", "B{}", "C{}", "D{}", "S{}"),
    "parameters": ("INIT{}", "INJECT1_{}"),
}
"""What a half of a cell has; the lower one is number 0."""


def move_up(module: dict[str, Any]) -> int:
    """Moves the chains of a flat module of a yosys JSON netlist in place; their number."""
    loads, cells = loads_of(module), module["cells"]
    heads = [c for c in cells.values() if c["type"] == "CCU2C" and bit_of(c, "CIN") in ("0", "1")]
    chains = [chain for head in heads if (chain := _chain(head, cells, loads))]
    free = 1 + last_net(module)
    for k, chain in enumerate(chains):
        for low, high in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True):
            _move(high, low)
        _move(chain[0], _carry(free + k))
    return len(chains)


def _chain(head: Cell, cells: dict[str, Cell], loads: Loads) -> list[Cell] | None:
    """The cells of a chain from its first, if moving it up saves a LUT."""
    if not loads.get(bit_of(head, "S0")):
        return None
    chain = [head]
    while readers := loads.get(bit_of(chain[-1], "COUT")):
        (name, pin), *more = readers
        if more or pin != "CIN" or cells[name]["type"] != "CCU2C":
            return None
        chain.append(cells[name])
    return None if loads.get(bit_of(chain[-1], "S1")) else chain


def _carry(unread: Bit) -> Cell:
    """An upper half that hands on the carry, whatever its inputs; its sum is not read."""
    pins: dict[str, list[Bit]] = {f"{pin}1": ["1"] for pin in "ABCD"}
    return {
        "connections": pins | {"S1": [unread]},
        "parameters": {"INIT1": "1" * 16, "INJECT1_1": "NO"},
    }


def _move(cell: Cell, before: Cell) -> None:
    """The lower half of a cell becomes its upper one, the upper one of `before` its lower one."""
    for kind, names in HALF.items():
        for name in names:
            cell[kind][name.format(1)] = cell[kind][name.format(0)]
            cell[kind][name.format(0)] = before[kind][name.format(1)]
