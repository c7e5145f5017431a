"""Delayed flags, what memories are told, and how deep ones are laid out."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal

BLOCK = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
"""Rows and bits of a block of RAM of 18 Kbit."""


def part_rows(depth: int, width: int) -> int:
    """Rows in which `depth` words of `width` bits take the fewest such blocks.

    Of several the most rows, with the fewest words beside each other: ⌈depth / rows⌉.
    """
    return min(BLOCK, key=lambda shape: -(-width * -(-depth // shape[0]) // shape[1]))[0]


def delayed(m: Module, flag: Any, cycles: int, en: Signal) -> Signal:
    """`flag`, `cycles` enabled cycles later."""
    if cycles == 0:
        same = Signal()
        m.d.comb += same.eq(flag)
        return same
    line = Signal(cycles)
    with m.If(en):
        m.d.sync += line.eq(Cat(flag, line))
    return line[-1]


def ram(style: str) -> dict[str, Any]:
    """Attributes of a memory of `style` (block, parts, distributed, logic or auto).

    A word that is read in the cycle in which it is written is not used; without `no_rw_check` the
    tools would add a bypass around every block RAM.
    """
    return {"ram_style": "block" if style == "parts" else style, "no_rw_check": 1}
