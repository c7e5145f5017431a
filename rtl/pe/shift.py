"""Shift: term(x, w) = ±x·2^e or 0. Equals `shift` in the integer golden model.

A lane is a barrel of w_bits − 1 multiplexer stages, the widest shift first, whose last stage also
inverts for a negative sign; the +1 that completes the negation is a carry-in of the adder tree.
Where it is `staged` there is a register behind the first stage.
"""

from __future__ import annotations

import numpy as np
from amaranth import Cat, Module, Mux, Signal, Value

from rtl.pe.element import PE
from rtl.terms import Term, signed_for


class ShiftPE(PE):
    """PE with weights 0 or ±2^e, e up to 2^(w_bits−1) − 2.

    A weight's code is e, or all ones for zero, above a sign bit.
    """

    STAGES = True

    @staticmethod
    def live_share(weights: np.ndarray, bits: int) -> float:
        return round(np.count_nonzero(weights) / weights.size, 1)

    @property
    def exponents(self) -> int:
        return (1 << (self.w_bits - 1)) - 1

    def encode(self, weight: int) -> int:
        if weight == 0:
            return self.exponents << 1
        e = abs(weight).bit_length() - 1
        if abs(weight) != 1 << e or e >= self.exponents:
            raise ValueError(
                f"shift weight {weight} must be 0 or plus/minus a power of two up to "
                f"2^{self.exponents - 1} for {self.w_bits} bits"
            )
        return e << 1 | (weight < 0)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        sign, *low, top = w
        ends = [end << (self.exponents - 1) for end in self.x_range]
        lo, hi = min(ends[0], ~ends[1]), max(ends[1], ~ends[0])
        shape = signed_for(lo, hi, self.acc_bits)
        # Only zero's code has all bits set: it passes neither input of the first stage.
        far = Signal()
        stage = Signal(shape)
        m.d.comb += far.eq(top & ~Cat(low).all())
        m.d.comb += stage.eq(Mux(far, x << (1 << len(low)), 0) | Mux(top, 0, x))
        if self.staged:
            stage, sign, *low = [self._held(m, value) for value in (stage, sign, *low)]
        for k in reversed(range(len(low))):
            previous, stage = stage, Signal(shape)
            m.d.comb += stage.eq(Mux(low[k], previous << (1 << k), previous))
        value = Signal(shape)
        m.d.comb += value.eq(stage ^ sign.replicate(len(stage)))
        return [Term(value, lo, hi, carry=sign)]


ELEMENT = ShiftPE
