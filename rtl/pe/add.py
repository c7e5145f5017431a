"""Add: term(x, w) = −|x − w|. Equals `add` in the integer golden model.

No absolute value is ever formed. The sign of d = x − w travels beside it: two distances are added
or subtracted as their signs are equal or not, and the first one's sign rides on, at last into the
accumulator. Whether two signs are equal is told with the second of them, in the same LUT, where
distances are narrow.

Weights are multiples of 2^k, which the low k bits of x pass by: x − v·2^k has these bits as they
are, above them (x >> k) − v, and so its sign, as v does not reach below.
"""

from __future__ import annotations

from dataclasses import replace

from amaranth import Cat, Module, Signal, Value, unsigned

from rtl.pe.element import PE
from rtl.terms import WIDEST, Term, add, register, signed_for

LUT_MADE = 4
"""Bits up to which a distance is made of LUTs alone, and its sign soon known."""


class AddPE(PE):
    """PE with weights as ~w, since a carry chain adds at no cost but may not subtract (iCE40)."""

    CLAMPS = STEPS = True

    def encode(self, weight: int) -> int:
        (lo, hi), unit = self.w_range, 1 << self.w_step
        if weight % unit or not lo <= weight // unit <= hi:
            times = f" times {unit}" if self.w_step else ""
            raise ValueError(
                f"add weight {weight} must be {lo} to {hi}{times} for {self.w_bits} bits"
            )
        return ~(weight // unit) % (1 << self.w_bits)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        step, (least, most) = self.w_step, self.w_range
        lo, hi = self.x_range[0] - (most << step), self.x_range[1] - (least << step)
        inverse = w if self.w_signed else Cat(w, 1)  # the sign bit of ~w, where w has none
        # Never modulo 2^acc_bits: its top bit is the sign of the true distance.
        distance = Signal(signed_for(lo, hi, WIDEST))
        if step:
            above = x.shift_right(step) + inverse.as_signed() + 1
            m.d.comb += distance.eq(Cat(self._below(m, x), above).as_signed())
        else:
            m.d.comb += distance.eq(x + inverse.as_signed() + 1)
        return [Term(distance, lo, hi, sign=distance[-1], absolute=True)]

    def _below(self, m: Module, x: Value) -> Value:
        """The bits of x below the unit of the weights."""
        whole = Signal(unsigned(self.w_step))
        m.d.comb += whole.eq(x)
        return whole

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
