"""add: |x − w|, the element's terms of which have the other sign."""

from __future__ import annotations

from amaranth.hdl import Mux, Value

from sim.formal.reference import Reference, twos


def _distance(x: Value, w: Value) -> Value:
    number = w.as_signed()
    return Mux(x > number, number - x, x - number)


REFERENCE = Reference(twos, _distance, negated=True)
