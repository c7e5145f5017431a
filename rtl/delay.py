"""Delayed flags, and what memories are told."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Signal


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
