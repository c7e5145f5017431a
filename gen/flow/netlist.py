"""Helpers of the passes over yosys' JSON netlists: bits, pins, and the readers of a bit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Bit = int | str
"""A net's number, or a constant "0", "1", "x" (also: not connected)."""
Cell = dict[str, Any]
Loads = dict[Bit, list[tuple[str, str]]]


def bit_of(cell: Cell, pin: str) -> Bit:
    """The one bit of a pin, "x" when nothing is connected."""
    bits: list[Bit] = cell["connections"].get(pin) or ["x"]
    return bits[0]


def instance(kind: str, name: str, settings: Mapping[str, str], pins: Mapping[str, str]) -> str:
    """Verilog of a cell. settings, pins: expressions by name."""
    values = ", ".join(f".{key}({value})" for key, value in settings.items())
    connections = ", ".join(f".{pin}({to})" for pin, to in pins.items())
    return f"{kind} {f'#({values}) ' if values else ''}{name} ({connections});"


def loads_of(module: dict[str, Any]) -> Loads:
    """The readers of each bit of a flat module: (cell, pin), or ("", port)."""
    loads: Loads = defaultdict(list)
    for name, cell in module["cells"].items():
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "input":
                for bit in bits:
                    loads[bit].append((name, pin))
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            loads[bit].append(("", name))
    return loads


def last_net(module: dict[str, Any]) -> int:
    """The highest number of a net of a flat module, read or not; 1, which none has, without any."""
    joined = (bits for cell in module["cells"].values() for bits in cell["connections"].values())
    ports = (port["bits"] for port in module["ports"].values())
    return max((b for bits in (*joined, *ports) for b in bits if isinstance(b, int)), default=1)
