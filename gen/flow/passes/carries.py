"""Carry chains of ECP5 that need no extra cells at their start.

nextpnr 0.11.1 puts a pair of LUTs before a chain to feed its first carry, even a constant one, and
a pair behind it where its last carry has a name, even if nothing reads it. Where the first carry is
constant, this pass rewrites the lowest bit so that its carry out does not depend on its carry in,
and leaves that open. The sum of this bit becomes a LUT of its own if it is read; most lowest bits
only give a carry (rtl/terms adds `Cat(1, a)` and `Cat(flag, b)`). Saves three or four LUTs a chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gen.flow.netlist import Bit, Cell, bit_of, last_net, loads_of

OPEN = "x"


def start_chains(module: dict[str, Any]) -> int:
    """Rewrites the chains of a flat module of a yosys JSON netlist in place; their number."""
    loads = loads_of(module)
    cells: dict[str, Cell] = module["cells"]
    free = 1 + last_net(module)
    done = 0
    for name, cell in [(n, c) for n, c in cells.items() if c["type"] == "CCU2C"]:
        if not loads.get(bit_of(cell, "COUT")):
            cell["connections"]["COUT"] = []
        low = _LowerHalf.of(cell)
        if low is None:
            continue
        low.start(cell)
        if loads.get(bit_of(cell, "S0")):
            cells[f"{name}_low"] = low.sum(bit_of(cell, "S0"))
            cell["connections"]["S0"] = [free + done]
        done += 1
    return done


def name_open_pins(module: dict[str, Any]) -> None:
    """Names the open carry outputs, as nextpnr needs each pin; Verilog is written without names."""
    for cell in module["cells"].values():
        if cell["type"] == "CCU2C" and not cell["connections"]["COUT"]:
            cell["connections"]["COUT"] = [OPEN]


@dataclass(frozen=True)
class _LowerHalf:
    """The lower half of a CCU2C with a constant carry in and at most two nets as inputs."""

    init: int
    inputs: dict[str, Bit]
    carry: bool

    @staticmethod
    def of(cell: Cell) -> _LowerHalf | None:
        carry, parameters = bit_of(cell, "CIN"), cell["parameters"]
        if carry not in ("0", "1") or parameters["INJECT1_0"] != "NO":
            return None
        inputs = {pin: bit_of(cell, f"{pin}0") for pin in "ABCD"}
        half = _LowerHalf(int(parameters["INIT0"], 2), inputs, carry == "1")
        return half if len(half.nets) <= 2 else None

    @property
    def nets(self) -> list[int]:
        return sorted({bit for bit in self.inputs.values() if isinstance(bit, int)})

    def start(self, cell: Cell) -> None:
        """Makes the carry of this half of `cell` independent of its carry in."""
        table = sum(self.carry_out(k) << k for k in range(4))
        a, b = [*self.nets, "1", "1"][:2]
        # With C and D high, bits 12 to 15 say whether the carry in passes (never), bits 0 to 3 give
        # the carry out.
        cell["parameters"]["INIT0"] = f"{table:016b}"
        cell["connections"] |= {"A0": [a], "B0": [b], "C0": ["1"], "D0": ["1"], "CIN": [OPEN]}

    def carry_out(self, values: int) -> bool:
        """With the nets at the bits of `values`: LUT4 passes the carry, else LUT2 makes one."""
        net = {n: values >> i & 1 for i, n in enumerate(self.nets)}
        pins = [net[b] if isinstance(b, int) else int(b == "1") for b in self.inputs.values()]
        index = sum(value << i for i, value in enumerate(pins))
        return self.carry if self.init >> index & 1 else bool(self.init >> (index & 3) & 1)

    def sum(self, out: Bit) -> Cell:
        """The LUT that gives the sum."""
        return {
            "hide_name": 1,
            "type": "LUT4",
            "parameters": {"INIT": f"{self.init ^ 0xFFFF * self.carry:016b}"},
            "attributes": {},
            "port_directions": dict.fromkeys("ABCD", "input") | {"Z": "output"},
            "connections": {pin: [bit] for pin, bit in self.inputs.items()} | {"Z": [out]},
        }
