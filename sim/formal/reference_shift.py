"""shift: ±x·2^e or 0."""

from __future__ import annotations

from amaranth.hdl import Mux, Value

from model.kind_shift import exponents
from sim.formal.reference import Reference


def _power(index: int, bits: int) -> int:
    """0 or ±2^e: the low bit of an index is the sign, the rest e, the last of which means zero."""
    e = index >> 1
    return 0 if e == exponents(bits) else (-1 if index & 1 else 1) << e


def _shifted(x: Value, w: Value) -> Value:
    far = x << w[1:]
    return Mux(w[1:].all(), 0, Mux(w[0], -far, far))


REFERENCE = Reference(_power, _shifted)
