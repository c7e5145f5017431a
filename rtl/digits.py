"""Products without a multiplier: radix-4 recoding of one factor, one partial product a digit."""

from __future__ import annotations

import numpy as np
from amaranth import Const, Module, Mux, Signal, Value

from rtl.terms import Term, signed_for


def digits(bits: int) -> int:
    """Number of digits of a recoded factor of `bits` bits."""
    return (bits + 1) // 2


def recode(value: int, bits: int) -> int:
    """A signed number of `bits` bits in as many bits, as radix-4 digits, lowest first.

    A pair of bits (b1, b0) is the digit −2·b1 + b0 (Booth's recoding, done beforehand), so that
    one LUT4 makes one bit of a partial product: 0, x, ~x or ~2x. The top digit, one bit where
    `bits` is odd, holds what is left modulo its width: positive where those below are negative.
    """
    # + 2 makes a low digit a plain base-4 digit; flipping its high bit takes the 2 off again.
    twos = sum(2 << (2 * j) for j in range(digits(bits) - 1))
    return ((value + twos) ^ twos) % (1 << bits)


def live_digits(values: np.ndarray, bits: int) -> float:
    """Share of the digits of constants of `bits` bits that are not zero."""
    rest, count = values.ravel(), 0
    for _ in range(digits(bits) - 1):
        digit = ((rest + 2) & 3) - 2
        rest, count = (rest - digit) >> 2, count + int(np.count_nonzero(digit))
    return round(float((count + np.count_nonzero(rest)) / (digits(bits) * values.size)), 3)


def products(
    m: Module, x: Value, x_range: tuple[int, int], factor: Value, *, at_most: int
) -> list[Term]:
    """Combinational terms whose sum is x times the recoded `factor`, exact modulo 2^at_most."""
    *low, top = (factor[i : i + 2] for i in range(0, len(factor), 2))
    below: Value = Const(0)
    for b in low:
        below = b[1] | (~b[0] & below)
    terms = [_low_digit(m, x, x_range, b, 2 * j, at_most) for j, b in enumerate(low)]
    return [*terms, _top_digit(m, x, x_range, top, below, 2 * len(low), at_most)]


def _low_digit(
    m: Module, x: Value, x_range: tuple[int, int], b: Value, scale: int, at_most: int
) -> Term:
    lo, hi = (2 * end for end in x_range)
    lo, hi = min(lo, ~hi), max(hi, ~lo)
    value = Signal(signed_for(lo, hi, at_most))
    m.d.comb += value.eq(_multiple(x, b) ^ b[1].replicate(len(value)))
    return Term(value, lo, hi, scale, carry=b[1])


def _top_digit(
    m: Module,
    x: Value,
    x_range: tuple[int, int],
    b: Value,
    below: Value,
    scale: int,
    at_most: int,
) -> Term:
    """It can also be 2, and choosing among five values does not fit a LUT4: its sign rides."""
    lo, hi = (len(b) * end for end in x_range)
    value = Signal(signed_for(lo, hi, at_most))
    m.d.comb += value.eq(_multiple(x, b))
    # Its bits alone do not tell 2 from −2 (or, if it is one bit, 1 from −1).
    sign = b[0] & ~below if len(b) == 1 else b[1] & (b[0] | ~below)
    return Term(value, lo, hi, scale, sign=sign)


def _multiple(x: Value, b: Value) -> Value:
    """x times the size of the digit in the bits b."""
    return Mux(b[0], x, Mux(b[1], x << 1, 0) if len(b) == 2 else 0)
