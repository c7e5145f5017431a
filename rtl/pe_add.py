"""Add: term(x, w) = −|x − w|. Equals `add` in the integer golden model.

No absolute value is ever formed. Of d = x − w the sign travels beside it: two distances are added or
subtracted as their signs are equal or not, and the first one's sign rides on, at last into the accumulator.
"""

from __future__ import annotations

from amaranth import Elaboratable, Module, Mux, Signal, Value

from rtl.pe import PE, Term


class AddSub(Elaboratable):
    """o = a − b if `subtract`, else a + b, combinational and modulo the width of o.

    A module of its own, `…addsub…`, so that synthesis can find it: where the carry chain has an input for
    inversion (ECP5, Gowin) the two sums share one chain.
    """

    def __init__(self, a: Value, b: Value, subtract: Value, o: Signal) -> None:
        self.a, self.b, self.subtract, self.o = a, b, subtract, o

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b = Signal.like(self.o), Signal.like(self.o)
        m.d.comb += [a.eq(self.a), b.eq(self.b), self.o.eq(Mux(self.subtract, a - b, a + b))]
        return m


class AddPE(PE):
    """PE with weights in two's complement. A term's number is −value where `flag` is set, else value."""

    def encode(self, weight: int) -> int:
        end = 1 << (self.w_bits - 1)
        if not -end <= weight < end:
            raise ValueError(f"add weight {weight} must be {-end} to {end - 1} for {self.w_bits} bits")
        return weight % (2 * end)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        end = 1 << (self.w_bits - 1)
        lo, hi = self.x_range[0] - end + 1, self.x_range[1] + end
        distance = Signal(self._shape(lo, hi))
        m.d.comb += distance.eq(x - w.as_signed())
        return [Term(distance, distance[-1], lo, hi)]

    def merge(self, m: Module, a: Term, b: Term) -> Term:
        far = max(-a.lo, a.hi) + max(-b.lo, b.hi)
        total = Signal(self._shape(-far, far))
        m.submodules += AddSub(a.value, b.value, a.flag ^ b.flag, total)
        return Term(total, a.flag, -far, far)

    def accumulate(self, m: Module, total: Term, before: Value) -> Value:
        ...


ELEMENT = AddPE
