"""Products of a number and a factor from a known list: the least hardware that the list allows.

A scaling says what must be stored for each factor (`fields`), and makes the product out of that as
terms of a sum. `choose` picks one: shifts where factors have few signed digits (a power of two has
one), else a DSP block or the partial products of recoded factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, Protocol

from amaranth import Module, Mux, Signal, Value
from amaranth.utils import bits_for

from rtl.digits import digits, products, recode
from rtl.terms import WIDEST, Term, signed_for


class Scaling(Protocol):
    fields: dict[str, list[int]]
    """Numbers, by name, to be stored for each factor."""
    count: int
    """Terms of one product."""

    def luts(self, x_bits: int) -> int:
        """A rough number of LUTs for one product, with the adders that its terms need."""
        ...

    def terms(self, m: Module, x: Value, fields: Mapping[str, Value]) -> list[Term]:
        """Combinational terms whose sum is x times the factor that `fields` were stored for."""
        ...


def signed_digits(value: int) -> list[tuple[bool, int]]:
    """The fewest (negative, exponent) with value = sum of ±2^exponent: the non-adjacent form."""
    digits = []
    exponent = 0
    while value:
        if value & 1:
            negative = value & 3 == 3
            digits.append((negative, exponent))
            value += 1 if negative else -1
        value >>= 1
        exponent += 1
    return digits


class Shifts:
    """One barrel shifter for each signed digit that a factor can have."""

    def __init__(self, factors: Sequence[int]) -> None:
        lists = [signed_digits(f) for f in factors]
        self.count = max(map(len, lists))
        self.fields: dict[str, list[int]] = {}
        self.base: list[int] = []
        self.most: list[int] = []
        for k in range(self.count):
            digits = [d[k] if k < len(d) else None for d in lists]
            base = min(d[1] for d in digits if d)
            steps = [d[1] - base if d else 0 for d in digits]
            self.fields[f"on{k}"] = [int(d is not None) for d in digits]
            self.fields[f"negative{k}"] = [int(d is not None and d[0]) for d in digits]
            self.fields[f"step{k}"] = steps
            self.base.append(base)
            self.most.append(max(steps))

    def luts(self, x_bits: int) -> int:
        return sum((x_bits + most) * (2 + most.bit_length()) for most in self.most)

    def terms(self, m: Module, x: Value, fields: Mapping[str, Value]) -> list[Term]:
        return [
            self._term(m, x, fields[f"on{k}"], fields[f"negative{k}"], fields[f"step{k}"], k)
            for k in range(self.count)
        ]

    def _term(self, m: Module, x: Value, on: Value, negative: Value, step: Value, k: int) -> Term:
        end = 1 << (len(x) - 1 + self.most[k])
        shape = signed_for(-end, end - 1, WIDEST)
        shifted: Value = x
        for j in reversed(range(len(step))):
            previous, shifted = shifted, Signal(shape)
            m.d.comb += shifted.eq(Mux(step[j], previous << (1 << j), previous))
        value = Signal(shape)
        signed_ = any(self.fields[f"negative{k}"])
        invert = negative.replicate(len(value)) if signed_ else 0
        m.d.comb += value.eq(Mux(on, shifted, 0) ^ invert)
        carry = negative if signed_ else None
        return Term(value, -end, end - 1, self.base[k], carry=carry)


class Partials:
    """Partial products, one for each radix-4 digit of the recoded factor."""

    def __init__(self, factors: Sequence[int]) -> None:
        self.bits = max(2, *(bits_for(f, require_sign_bit=True) for f in factors))
        self.count = digits(self.bits)
        self.fields = {"factor": [recode(f, self.bits) for f in factors]}

    def luts(self, x_bits: int) -> int:
        return self.count * 2 * (x_bits + 2)

    def terms(self, m: Module, x: Value, fields: Mapping[str, Value]) -> list[Term]:
        end = 1 << (len(x) - 1)
        factor = Signal(self.bits)
        m.d.comb += factor.eq(fields["factor"])
        return products(m, x, (-end, end - 1), factor, at_most=WIDEST)


class Multiplication:
    """One multiplication for a DSP block, or several of parts of x where x is too wide for one.

    Left to synthesis, the sum of such parts would have no register between it and the blocks.
    """

    OPERAND = 18
    """Widest signed operand of one block (ECP5, Gowin)."""
    PART = 15
    """Bits of a lower part: with a zero for a sign it fits the blocks of iCE40, too."""

    def __init__(self, factors: Sequence[int], x_bits: int) -> None:
        self.fields = {"factor": list(factors)}
        self.lo, self.hi = min(factors), max(factors)
        self.count = 1 + max(0, -(-(x_bits - self.OPERAND) // self.PART))

    def luts(self, x_bits: int) -> int:
        return (self.count - 1) * x_bits

    def terms(self, m: Module, x: Value, fields: Mapping[str, Value]) -> list[Term]:
        lower = [range(k * self.PART, (k + 1) * self.PART) for k in range(self.count - 1)]
        top = len(lower) * self.PART
        parts = [self._term(m, x[r.start : r.stop], fields["factor"], r.start) for r in lower]
        return [*parts, self._term(m, x[top:].as_signed(), fields["factor"], top)]

    def _term(self, m: Module, part: Value, factor: Value, scale: int) -> Term:
        shape = part.shape()
        bounds = -(1 << shape.width - 1) * shape.signed, (1 << shape.width - shape.signed) - 1
        ends = [p * q for p in bounds for q in (self.lo, self.hi)]
        product = Signal(signed_for(min(ends), max(ends), WIDEST))
        m.d.comb += product.eq(part * factor)
        return Term(product, min(ends), max(ends), scale)


@lru_cache(1 << 10)
def choose(factors: tuple[int, ...], x_bits: int, multiplier: Literal["dsp", "lut"]) -> Scaling:
    """The scaling of least hardware for these factors. A DSP block is never spent on a shift."""
    shifts = Shifts(factors)
    if shifts.count <= 1:
        return shifts
    if multiplier == "dsp":
        return Multiplication(factors, x_bits)
    forms: list[Scaling] = [shifts, Partials(factors)]
    return min(forms, key=lambda form: form.luts(x_bits))
