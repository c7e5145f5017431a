"""Inputs clamped to the range of a layer's weights, where the elements become narrower by it.

|x − w| = |c − w| + |x − c|, with c the input x clamped to any range that holds w. The second part
is the same for all elements that read x: its sum is made once a layer and taken off finished sums,
while each lane and adder of the elements is narrower by the bits that c has fewer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from amaranth import Module, Mux, Shape, Signal, Value, signed, unsigned


def clamped_bits(weights: np.ndarray, x_bits: int, x_signed: bool) -> int:
    """The fewest bits of an input, signed or not as it is, whose range holds all `weights`.

    An input without sign is above all negative weights as it is.
    """
    low, high = int(weights.min()), int(weights.max())
    bits = max(max(high, 0).bit_length(), (~low).bit_length() if x_signed and low < 0 else 0)
    return min(x_bits, max(1, bits) + x_signed)


def pays(*, saved: int, x_bits: int, acc_bits: int, simd: Any, pe: Any, out_lanes: Any) -> Any:
    """Whether lanes and adders that are `saved` bits narrower take more than the sum of excess.

    simd, pe, out_lanes: numbers or arrays.
    """
    return 2 * saved * simd * pe > 3 * x_bits * simd + acc_bits * (1 + out_lanes)


def clamp(m: Module, x: Value, bits: int) -> tuple[Value, Value]:
    """c and |x − c|, combinational: c is x clamped to what `bits` bits hold, signed as x is."""
    shape = x.shape()
    low, high = _ends(signed(bits) if shape.signed else unsigned(bits))
    over = x > high
    clamped = Signal(signed(bits) if shape.signed else unsigned(bits))
    excess = Signal(unsigned(shape.width))
    m.d.comb += clamped.eq(Mux(over, high, x))
    m.d.comb += excess.eq(Mux(over, x - high, 0))
    if shape.signed:
        with m.If(x < low):
            m.d.comb += [clamped.eq(low), excess.eq(low - x)]
    return clamped, excess


def _ends(shape: Shape) -> tuple[int, int]:
    if shape.signed:
        return -(1 << shape.width - 1), (1 << shape.width - 1) - 1
    return 0, (1 << shape.width) - 1
