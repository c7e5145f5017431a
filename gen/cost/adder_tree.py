# amaranth: UnusedElaboratable=no
"""Bits of the registered adder trees of rtl/terms, counted without building any hardware."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from amaranth import Module, Signal

from model.spec import width
from rtl.digits import digits
from rtl.pe.element import pe
from rtl.terms import WIDEST

ANY = WIDEST
"""Bits that no sum exceeds, where any will do."""


@dataclass(frozen=True)
class Width:
    """Of a term: its range, its scale, and whether a carry or a sign rides with it, or if it is
    absolute its own top bit."""

    lo: int
    hi: int
    scale: int = 0
    carry: bool = False
    sign: bool = False
    absolute: bool = False

    def bits(self, most: int) -> int:
        return min(most, max(width(self.lo, True), width(self.hi, True)))


@dataclass(frozen=True)
class AdderTree:
    """adders: bits of all carry chains. chains: their number. registers: flip-flops."""

    adders: int
    chains: int
    registers: int
    root: Width


def merge(a: Width, b: Width, most: int) -> tuple[Width, int]:
    """The width of a + b, as rtl.terms.add gives it, and the bits of its carry chain."""
    step = b.scale - a.scale
    low, high = b.lo << step, (b.hi + b.carry) << step
    if a.sign or b.sign:
        low, high = min(low, -high), max(high, -low)
    total = replace(a, lo=a.lo + low, hi=a.hi + high)
    absolute = a.absolute and b.absolute and total.bits(most) == total.bits(ANY)
    bits = max(total.bits(most) - step - absolute, 1) + b.carry
    return replace(total, absolute=absolute), bits


@cache
def tree(terms: tuple[Width, ...], most: int) -> AdderTree:
    """The tree over `terms`, a register behind each level; `most`: bits that no sum exceeds."""
    level = sorted(terms, key=lambda term: term.scale)
    adders = chains = registers = 0
    while len(level) > 1:
        merged = []
        for a, b in zip(level[::2], level[1::2], strict=False):
            total, bits = merge(a, b, most)
            merged.append(total)
            adders, chains = adders + bits, chains + 1
        level = merged + level[2 * len(merged) :]
        registers += held(level, most)
    return AdderTree(adders, chains, registers, level[0])


def held(terms: Iterable[Width], most: int) -> int:
    """Flip-flops that hold `terms`."""
    return sum(t.bits(most) + (t.carry or (t.sign and not t.absolute)) for t in terms)


@cache
def lane(
    kind: str, x_bits: int, x_signed: bool, w_bits: int, dsp: bool, w_signed: bool = True
) -> tuple[Width, ...]:
    """The terms of one lane of the processing element of `kind`, as its hardware gives them."""
    element = pe(kind)(
        simd=1, x_bits=x_bits, x_signed=x_signed, w_bits=w_bits, acc_bits=64,
        multiplier="dsp" if dsp else "lut", w_signed=w_signed,
    )  # fmt: skip
    terms = element.terms(Module(), Signal(element.x_shape), Signal(w_bits))
    return tuple(
        Width(t.lo, t.hi, t.scale, t.carry is not None, t.sign is not None, t.absolute)
        for t in terms
    )


def partials(x: tuple[int, int], bits: int) -> tuple[Width, ...]:
    """Partial products of a factor of `bits` bits, as in rtl/digits.py."""
    lo, hi = min(2 * x[0], ~(2 * x[1])), max(2 * x[1], ~(2 * x[0]))
    low = [Width(lo, hi, 2 * j, carry=True) for j in range(digits(bits) - 1)]
    size = 2 - bits % 2
    return (*low, Width(size * x[0], size * x[1], 2 * len(low), sign=True))


def choices(terms: tuple[Width, ...], bits: int) -> int:
    """LUTs that choose the partial products `terms` of one lane, by a factor of `bits` bits.

    The last digit of an odd number of bits is one bit: it resets the register.
    """
    return sum(term.bits(ANY) for term in (terms[:-1] if bits % 2 else terms))


def distinct(count: Any, bits: Any, depth: Any) -> Any:
    """How many of `count` random columns of `bits` bits and `depth` words differ, and are not zero.

    Synthesis makes equal ones once. Only shallow memories have any. Numbers or arrays.
    """
    kinds = 2.0 ** np.minimum(bits * depth, 64)
    return np.rint((kinds - 1) * -np.expm1(count * np.log1p(-1 / kinds)))


def wired(bits: int, uses: Any, alive: float) -> Any:
    """Flip-flops for all products of a number of `bits` bits by constants of one digit each.

    Products by powers of two are the number itself or its inverse, on other wires; so synthesis
    keeps each of both once, if any of the constants asks for it. uses: numbers or arrays.
    """
    return 2 * bits * (1 - (1 - alive / 2) ** uses)
