"""Mult: term(x, w) = w·x. Equals `mult` in the integer golden model.

With multiplier "dsp" a lane is one multiplication, for a DSP block. With "lut" it is the partial
products of a recoded weight, and those of all lanes share one adder tree.
"""

from __future__ import annotations

import numpy as np
from amaranth import Module, Signal, Value

from rtl.digits import digits, live_digits, products, recode
from rtl.pe.element import PE, Multiplier
from rtl.terms import Term, signed_for


class MultPE(PE):
    """PE with weights in two's complement ("dsp") or recoded to radix-4 digits ("lut")."""

    MULTIPLIES = True

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
        if not -end <= weight < end:
            raise ValueError(
                f"mult weight {weight} must be {-end} to {end - 1} for {self.w_bits} bits"
            )
        return recode(weight, self.w_bits) if self.recoded else weight % (2 * end)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        if self.recoded:
            return products(m, x, self.x_range, w, at_most=self.acc_bits)
        end = 1 << (self.w_bits - 1)
        ends = [p * q for p in self.x_range for q in (-end, end - 1)]
        product = Signal(signed_for(min(ends), max(ends), self.acc_bits))
        m.d.comb += product.eq(x * w.as_signed())
        return [Term(product, min(ends), max(ends))]


ELEMENT = MultPE
