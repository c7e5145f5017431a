"""Registers in the middle of a stream, in both directions."""

from __future__ import annotations

from amaranth.hdl import Module, ShapeCastable, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.stage import Outlet


class Skid(wiring.Component):
    """A stream whose valid, payload and ready are all registers.

    Ports
    -----
    i, o : streams

    Latency
    -------
    1 cycle, a word a cycle.
    """

    outlet = Outlet

    def __init__(self, shape: ShapeCastable | int) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        outlet = self.outlet(m, self.o)
        m.d.comb += self.i.ready.eq(outlet.en)
        outlet.put(Value.cast(self.i.payload), self.i.valid)
        return m
