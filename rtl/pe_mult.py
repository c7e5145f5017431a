"""Mult: term(x, w) = w·x. Equals `mult` in the integer golden model.

With multiplier "dsp" a lane is one multiplication, for a DSP block. With "lut" it is a sum of
partial products, one for each radix-4 digit −2, −1, 0 or 1 of the weight (Booth's recoding, done when
the weight is packed), so that one LUT4 makes one bit: 0, x, ~x or ~2x. Partial products of all lanes
share one adder tree. Only the top digit can also be 2.
"""

from __future__ import annotations

from amaranth import Const, Module, Mux, Signal, Value

from rtl.pe import PE
from rtl.terms import Term, signed_for


class MultPE(PE):
    """PE with weights in two's complement ("dsp") or radix-4 digits, lowest first ("lut").

    A pair of bits (b1, b0) is the digit −2·b1 + b0. The top digit, one bit where w_bits is odd, holds
    what is left only modulo its width; it is positive where the digits below it are negative.
    """

    @property
    def recoded(self) -> bool:
        return self.multiplier == "lut"

    @property
    def terms_per_lane(self) -> int:
        return (self.w_bits + 1) // 2 if self.recoded else 1

    def encode(self, weight: int) -> int:
        end = 1 << (self.w_bits - 1)
        if not -end <= weight < end:
            raise ValueError(
                f"mult weight {weight} must be {-end} to {end - 1} for {self.w_bits} bits"
            )
        # + 2 makes a low digit a plain base-4 digit; flipping its high bit takes the 2 off again.
        twos = sum(2 << (2 * j) for j in range(self.terms_per_lane - 1))
        return ((weight + twos) ^ twos) % (2 * end)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        if not self.recoded:
            return [self._product(m, x, w.as_signed())]
        *low, top = (w[i : i + 2] for i in range(0, self.w_bits, 2))
        below: Value = Const(0)
        for b in low:
            below = b[1] | (~b[0] & below)
        return [
            *(self._low_digit(m, x, b, 2 * j) for j, b in enumerate(low)),
            self._top_digit(m, x, top, below, 2 * len(low)),
        ]

    def _product(self, m: Module, x: Value, w: Value) -> Term:
        end = 1 << (self.w_bits - 1)
        ends = [p * q for p in self.x_range for q in (-end, end - 1)]
        product = Signal(signed_for(min(ends), max(ends), self.acc_bits))
        m.d.comb += product.eq(x * w)
        return Term(product, min(ends), max(ends))

    def _low_digit(self, m: Module, x: Value, b: Value, scale: int) -> Term:
        lo, hi = (2 * end for end in self.x_range)
        lo, hi = min(lo, ~hi), max(hi, ~lo)
        value = Signal(signed_for(lo, hi, self.acc_bits))
        m.d.comb += value.eq(_multiple(x, b) ^ b[1].replicate(len(value)))
        return Term(value, lo, hi, scale, carry=b[1])

    def _top_digit(self, m: Module, x: Value, b: Value, below: Value, scale: int) -> Term:
        """With five sizes to choose from, inversion would not fit the LUT: the sign is left over."""
        lo, hi = (len(b) * end for end in self.x_range)
        value = Signal(signed_for(lo, hi, self.acc_bits))
        m.d.comb += value.eq(_multiple(x, b))
        # The bits alone do not tell 2 from −2 (or, of one bit, 1 from −1).
        sign = b[0] & ~below if len(b) == 1 else b[1] & (b[0] | ~below)
        return Term(value, lo, hi, scale, sign=sign)


def _multiple(x: Value, b: Value) -> Value:
    """x times the size of the digit in the bits b."""
    return Mux(b[0], x, Mux(b[1], x << 1, 0) if len(b) == 2 else 0)


ELEMENT = MultPE
