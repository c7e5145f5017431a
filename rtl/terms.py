"""Terms of a sum whose negations ride along, and the registered adder tree that adds them.

Negating a number would cost an adder. A `Term` owes that instead, and the next adder settles it:
the +1 behind an inversion as its carry-in, a sign by subtracting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor

from amaranth import Cat, Elaboratable, Module, Mux, Shape, Signal, Value, signed
from amaranth.utils import bits_for

WIDEST = 128
"""Bits that no number in here reaches: exact, never modulo."""
NARROWEST = 5
"""Bits of an adder of which synthesis makes a carry chain, on ECP5."""


@dataclass(frozen=True)
class Term:
    """The number ±value + carry in units of 2^scale, − where `sign` is set.

    value: signed, within lo to hi. A term owes a carry or a sign or neither. absolute: its sign is
    the top bit of `value`, so the number is |value|. ahead: what `sign` will be in the next cycle.
    """

    value: Value
    lo: int
    hi: int
    scale: int = 0
    carry: Value | None = None
    sign: Value | None = None
    absolute: bool = False
    ahead: Value | None = None


Merge = Callable[[Module, Term, Term, str], Term]


def signed_for(lo: int, hi: int, at_most: int) -> Shape:
    """The narrowest signed shape that holds lo to hi, but no wider than `at_most` bits."""
    return signed(min(at_most, max(bits_for(end, require_sign_bit=True) for end in (lo, hi))))


class AddSub(Elaboratable):
    """o = a − b if `subtract`, else a + b, combinational and modulo the width of o.

    A module of its own, called `addsub…`, so that synthesis can find it: where a carry chain has an
    input for inversion (ECP5, Gowin) both sums are to share one chain at no further cost.
    """

    def __init__(self, a: Value, b: Value, subtract: Value, o: Signal) -> None:
        self.a, self.b, self.subtract, self.o = a, b, subtract, o

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b = Signal.like(self.o), Signal.like(self.o)
        m.d.comb += [a.eq(self.a), b.eq(self.b), self.o.eq(Mux(self.subtract, a - b, a + b))]
        return m


def add(m: Module, a: Term, b: Term, name: str, *, bits: int, differ: Value | None = None) -> Term:
    """a + b modulo 2^bits, b of no smaller scale: settles what b owes, a's debt rides on.

    A sum of two absolute terms is one, too: of the sign of a, which is its top bit without a sum.
    differ: whether the signs of two such terms differ, where that is known without them.
    """
    step = b.scale - a.scale
    signs = [s for s in (a.sign, b.sign) if s is not None]
    low, high = b.lo << step, (b.hi + (b.carry is not None)) << step
    if signs:
        low, high = min(low, -high), max(high, -low)
    lo, hi = a.lo + low, a.hi + high
    # Bits of a below b's unit pass by the adder.
    whole = Signal(signed(max(len(a.value), step + 1)))
    total = Signal(signed_for(lo, hi, bits), name=name)
    exact = total.shape() == signed_for(lo, hi, WIDEST)
    absolute = a.absolute and b.absolute and exact
    known = [a.value[-1]] if absolute else []
    upper = Signal(signed(max(len(total) - step - len(known), 1)))
    m.d.comb += [whole.eq(a.value), total.eq(Cat(whole[:step], upper, *known).as_signed())]
    top, other = whole[step:].as_signed(), b.value
    if signs:
        assert b.carry is None
        subtract = reduce(xor, signs)
        if absolute and differ is not None and len(top) == len(other):
            # both top bits are the same once b is inverted: what they add up to is the carry
            subtract = differ
            top, other = Cat(top[:-1], differ), Cat(other[:-1], 0)
        either = Signal(signed(max(len(upper), NARROWEST)))
        m.submodules[f"addsub_{name}"] = AddSub(top, other, subtract, either)
        m.d.comb += upper.eq(either)
    elif b.carry is None:
        m.d.comb += upper.eq(top + b.value)
    else:
        # A carry-in costs one bit more below the operands; on ECP5 nothing where that fills a pair.
        m.d.comb += upper.eq((Cat(1, top).as_signed() + Cat(b.carry, b.value).as_signed()) >> 1)
    return replace(a, value=total, lo=lo, hi=hi, absolute=absolute, ahead=None)


def register(m: Module, en: Value, term: Term) -> Term:
    """The term one enabled cycle later."""

    def later(value: Value | None) -> Value | None:
        if value is None:
            return None
        held = Signal.like(value, name="held", reset_less=True)
        with m.If(en):
            m.d.sync += held.eq(value)
        return held

    value = later(term.value)
    assert value is not None
    sign = value[-1] if term.absolute else later(term.sign)
    return replace(term, value=value, carry=later(term.carry), sign=sign, ahead=None)


def tree(m: Module, en: Value, terms: Sequence[Term], merge: Merge, levels: int) -> Term:
    """The balanced tree over `terms`, with a register behind every `levels` levels and the last.

    Terms of one scale meet first: narrow adders, carries of equal weight.
    """
    level = sorted(terms, key=lambda term: term.scale)
    depth = 0
    while len(level) > 1:
        depth += 1
        pairs = zip(level[::2], level[1::2], strict=False)
        merged = [merge(m, a, b, f"sum{depth}_{k}") for k, (a, b) in enumerate(pairs)]
        level = merged + level[2 * len(merged) :]
        if depth % levels == 0 or len(level) == 1:
            level = [register(m, en, term) for term in level]
    return level[0]


def tree_latency(terms: int, levels: int) -> int:
    """Enabled cycles that `tree` takes."""
    return -(-(terms - 1).bit_length() // levels)
