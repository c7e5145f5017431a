"""Add: term(x, w) = −|x − w|. Equals `add` in the integer golden model.

No absolute value is ever formed. The sign of d = x − w travels beside it: two distances are added
or subtracted as their signs are equal or not, and the first one's sign rides on, at last into the
accumulator.
"""

from __future__ import annotations

from dataclasses import replace

from amaranth import Module, Signal, Value

from rtl.pe.element import PE
from rtl.terms import WIDEST, Term, signed_for


class AddPE(PE):
    """PE with weights as ~w, since a carry chain adds at no cost but may not subtract (iCE40)."""

    CLAMPS = True

    def encode(self, weight: int) -> int:
        end = 1 << (self.w_bits - 1)
        if not -end <= weight < end:
            raise ValueError(
                f"add weight {weight} must be {-end} to {end - 1} for {self.w_bits} bits"
            )
        return ~weight % (2 * end)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        end = 1 << (self.w_bits - 1)
        lo, hi = self.x_range[0] - end + 1, self.x_range[1] + end
        # Never modulo 2^acc_bits: its top bit is the sign of the true distance.
        distance = Signal(signed_for(lo, hi, WIDEST))
        m.d.comb += distance.eq(x + w.as_signed() + 1)
        return [Term(distance, lo, hi, sign=distance[-1])]

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        assert total.sign is not None
        return super().accumulate(m, before, replace(total, sign=~total.sign))


ELEMENT = AddPE
