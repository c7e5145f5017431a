"""Max: the largest input, for maximum pooling over overlapping windows. Takes no weights."""

from __future__ import annotations

from amaranth import Module, Mux, Signal

from rtl.pe.sum import SumPE
from rtl.terms import Term, signed_for


class MaxPE(SumPE):
    """PE without weights (w_bits 0): the largest of its inputs, in place of their sum."""

    @property
    def empty(self) -> int:
        return self.x_range[0]

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        largest = Signal(signed_for(*self.x_range, self.acc_bits), name=name)
        m.d.comb += largest.eq(Mux(a.value > b.value, a.value, b.value))
        return Term(largest, *self.x_range)


ELEMENT = MaxPE
