# amaranth: UnusedElaboratable=no
"""Elements broken on purpose: a proof that passes on one of them is worth nothing."""

from __future__ import annotations

from dataclasses import replace

from amaranth import Module, Mux, Signal, Value, signed

from rtl.pe import PE
from rtl.pe_add import AddPE
from rtl.pe_max import MaxPE
from rtl.pe_mult import MultPE
from rtl.pe_shift import ShiftPE
from rtl.pe_sum import SumPE
from rtl.terms import WIDEST, Term, signed_for


class NoCarry(MultPE):
    """The +1 behind an inverted partial product is forgotten."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return [replace(term, carry=None) for term in super().terms(m, x, w)]


class NoSign(MultPE):
    """The top digit of a weight is never negative."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return [replace(term, sign=None) for term in super().terms(m, x, w)]


class OneWeight(MultPE):
    """A single weight is stored as its neighbour."""

    def encode(self, weight: int) -> int:
        return super().encode(weight + (weight == -(1 << (self.w_bits - 1))))


class Unsigned(MultPE):
    """Weights are taken for unsigned numbers. Only for DSP blocks."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        (term,) = super().terms(m, x, w)
        product = Signal(signed(len(x) + self.w_bits + 1))
        m.d.comb += product.eq(x * w)
        return [replace(term, value=product)]


class ZeroIsOne(ShiftPE):
    """The code of zero passes x on, shifted."""

    def encode(self, weight: int) -> int:
        return super().encode(weight or 1 << (self.exponents - 1))


class NotNegated(ShiftPE):
    """A negative weight inverts, without the +1 that completes the negation."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return [replace(term, carry=None) for term in super().terms(m, x, w)]


class OffByOne(AddPE):
    """x + ~w in place of x − w."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        (term,) = super().terms(m, x, w)
        distance = Signal(signed_for(term.lo - 1, term.hi, WIDEST))
        m.d.comb += distance.eq(x + w.as_signed())
        return [Term(distance, term.lo - 1, term.hi, sign=distance[-1])]


class Positive(AddPE):
    """Distances are added and not taken off."""

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        return PE.accumulate(self, m, before, total)


class Unaware(AddPE):
    """Two distances meet as if their signs were equal."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        return replace(
            super().merge(m, replace(a, sign=None), replace(b, sign=None), name), sign=a.sign
        )


class Dropped(SumPE):
    """An adder of the tree passes on only one of its terms."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        return a if name == "sum1_0" else super().merge(m, a, b, name)


class Early(SumPE):
    """Says that it is done a cycle before it is."""

    @property
    def latency(self) -> int:
        return super().latency - 1


class LateRestart(SumPE):
    """Says that a sum begins a cycle after it does."""

    @property
    def restart_delay(self) -> int:
        return super().restart_delay + 1


class Restless(SumPE):
    """Its terms go on while the element stands still."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        (term,) = super().terms(m, x, w)
        held = Signal.like(term.value)
        m.d.sync += held.eq(term.value)
        return [replace(term, value=held)]

    @property
    def input_registers(self) -> int:
        return 0

    @property
    def latency(self) -> int:
        return super().latency + 1


class Narrow(SumPE):
    """The sum loses its top bit."""

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        after = super().accumulate(m, before, total)
        return replace(after, value=after.value[:-1])


class Smallest(MaxPE):
    """Takes the smaller of two."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        term = super().merge(m, a, b, name)
        smaller = Signal.like(term.value)
        m.d.comb += smaller.eq(Mux(a.value < b.value, a.value, b.value))
        return replace(term, value=smaller)


class FromZero(MaxPE):
    """The largest of nothing is 0, although inputs may be negative."""

    @property
    def empty(self) -> int:
        return 0


ELEMENTS: dict[type[PE], tuple[str, str]] = {
    NoCarry: ("mult", "lut"),
    NoSign: ("mult", "lut"),
    OneWeight: ("mult", "lut"),
    Unsigned: ("mult", "dsp"),
    ZeroIsOne: ("shift", "lut"),
    NotNegated: ("shift", "lut"),
    OffByOne: ("add", "lut"),
    Positive: ("add", "lut"),
    Unaware: ("add", "lut"),
    Dropped: ("sum", "lut"),
    Early: ("sum", "lut"),
    LateRestart: ("sum", "lut"),
    Restless: ("sum", "lut"),
    Narrow: ("sum", "lut"),
    Smallest: ("max", "lut"),
    FromZero: ("max", "lut"),
}
"""Broken elements, with the kind and the multiplier that they pretend to be."""
