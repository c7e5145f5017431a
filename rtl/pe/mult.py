"""Mult: term(x, w) = w·x. Equals `mult` in the integer golden model.

With multiplier "dsp" a lane is one multiplication, for a DSP block. With "lut" it is the partial
products of a recoded weight, and those of all lanes share one adder tree. With "packed" one
multiplication forms two products of an input of n bits and two weights of m: x·(w2·2^k + w1) with
k = n + m. Its lower k bits are x·w1. What is above is x·w2, less one where x·w1 is negative: the
sign of the lower part is the carry that makes up for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth import Cat, Module, Signal, Value

from rtl.digits import digits, live_digits, products, recode
from rtl.pe.element import PE, Multiplier
from rtl.terms import Term, signed_for


class MultPE(PE):
    """PE with weights in two's complement ("dsp"), recoded to radix-4 digits ("lut"), or in pairs
    of w1 and w2 − [w1 < 0] ("packed"): with the sign of w1 between them that is w2·2^k + w1."""

    MULTIPLIES = PACKS = True

    @staticmethod
    def live_share(weights: np.ndarray, bits: int) -> float:
        return round(live_digits(weights, bits), 1)

    @property
    def recoded(self) -> bool:
        return self.multiplier == "lut"

    @classmethod
    def lane_terms(cls, w_bits: int, multiplier: Multiplier) -> int:
        return digits(w_bits) if multiplier == "lut" else 1

    @classmethod
    def input_stages(cls, multiplier: Multiplier, registered: bool) -> int:
        # a DSP block has them, and is slow to reach without
        return super().input_stages(multiplier, registered) if multiplier == "lut" else 1

    def encode(self, weight: int) -> int:
        end = 1 << (self.w_bits - 1)
        least = 1 - end if self.symmetric else -end
        if not least <= weight < end:
            raise ValueError(
                f"mult weight {weight} must be {least} to {end - 1} for {self.w_bits} bits"
            )
        return recode(weight, self.w_bits) if self.recoded else weight % (2 * end)

    def code(self, weights: Sequence[int]) -> int:
        if self.multiplier != "packed":
            return super().code(weights)
        low, high = (self.encode(weight) for weight in weights)
        return low | (high - (weights[0] < 0)) % (1 << self.w_bits) << self.w_bits

    def operand(self, m: Module, w: Value) -> Value:
        if self.multiplier != "packed":
            return w
        low, high = w[: self.w_bits], w[self.w_bits :]
        both = Cat(low, low[-1].replicate(self.x_bits), high)
        if self.symmetric:
            return both
        # the least w2 less one wraps to the largest, which w2 − 1 is never
        wraps = low[-1] & (high == (1 << self.w_bits - 1) - 1)
        return Cat(both, high[-1] | wraps)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        if self.recoded:
            return products(m, x, self.x_range, w, at_most=self.acc_bits)
        lo, hi = self._ends
        product = Signal(signed_for(lo, hi, self.acc_bits))
        m.d.comb += product.eq(x * w.as_signed())
        return [Term(product, lo, hi)]

    def lane(self, m: Module, x: Value, w: Value) -> list[list[Term]]:
        if self.multiplier != "packed":
            return super().lane(m, x, w)
        k, (lo, hi) = self.x_bits + self.w_bits, self._ends
        both = self._held(m, (x * w.as_signed())[: 2 * k])
        upper = Term(both[k:].as_signed(), lo - 1, hi, carry=both[k - 1])
        return [[Term(both[:k].as_signed(), lo, hi)], [upper]]

    @property
    def _ends(self) -> tuple[int, int]:
        """Least and largest product."""
        end = 1 << (self.w_bits - 1)
        ends = [p * q for p in self.x_range for q in (-end, end - 1)]
        return min(ends), max(ends)


ELEMENT = MultPE
