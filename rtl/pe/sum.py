"""Sum: term(x) = x, for average pooling. Takes no weights."""

from __future__ import annotations

from amaranth import Module, Signal, Value

from rtl.pe.element import PE
from rtl.terms import Term, signed_for


class SumPE(PE):
    """PE without weights (w_bits 0): the sum of its inputs."""

    WEIGHT_BITS = 0, 0

    def encode(self, weight: int) -> int:
        raise ValueError("a sum has no weights to encode")

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        value = Signal(signed_for(*self.x_range, self.acc_bits))
        m.d.comb += value.eq(x)
        return [Term(value, *self.x_range)]


ELEMENT = SumPE
