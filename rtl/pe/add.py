"""Add: term(x, w) = −|x − w|. Equals `add` in the integer golden model.

No absolute value is ever formed. The sign of d = x − w travels beside it: two distances are added
or subtracted as their signs are equal or not, and the first one's sign rides on, at last into the
accumulator. Whether two signs are equal is told with the second of them, in the same LUT, where
distances are narrow.
"""

from __future__ import annotations

from dataclasses import replace

from amaranth import Cat, Module, Signal, Value

from rtl.pe.element import PE
from rtl.terms import WIDEST, Term, add, register, signed_for

LUT_MADE = 4
"""Bits up to which a distance is made of LUTs alone, and its sign soon known."""


class AddPE(PE):
    """PE with weights as ~w, since a carry chain adds at no cost but may not subtract (iCE40)."""

    CLAMPS = True

    def encode(self, weight: int) -> int:
        lo, hi = self.w_range
        if not lo <= weight <= hi:
            raise ValueError(f"add weight {weight} must be {lo} to {hi} for {self.w_bits} bits")
        return ~weight % (1 << self.w_bits)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        lo, hi = self.x_range[0] - self.w_range[1], self.x_range[1] - self.w_range[0]
        inverse = w if self.w_signed else Cat(w, 1)  # the sign bit of ~w, where w has none
        # Never modulo 2^acc_bits: its top bit is the sign of the true distance.
        distance = Signal(signed_for(lo, hi, WIDEST))
        m.d.comb += distance.eq(x + inverse.as_signed() + 1)
        return [Term(distance, lo, hi, sign=distance[-1], absolute=True)]

    def lane(self, m: Module, x: Value, w: Value) -> list[list[Term]]:
        (term,) = self.terms(m, x, w)
        held = register(m, self.en, term)
        narrow = len(term.value) <= LUT_MADE
        return [[replace(held, ahead=term.sign) if narrow else held]]

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        if a.ahead is None or b.ahead is None:
            return super().merge(m, a, b, name)
        differ = self._held(m, a.ahead ^ b.ahead)
        return add(m, a, b, name, bits=self.acc_bits, differ=differ)

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        assert total.sign is not None
        return super().accumulate(m, before, replace(total, sign=~total.sign, absolute=False))


ELEMENT = AddPE
