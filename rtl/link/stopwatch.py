"""Cycles of the accelerator, counted beside it."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.link.protocol import TIMES


class Stopwatch(wiring.Component):
    """Latency and interval of the last images for which they mean something.

    Ports
    -----
    first : the first byte of an image enters
    last : the last byte of an answer leaves
    times : latency, in cycles from `first` to `last` of an image that found the accelerator empty;
        and interval, in cycles between two `last` when the accelerator was not empty between them

    Latency
    -------
    `times` changes in the cycle after `last`.
    """

    def __init__(self) -> None:
        super().__init__({"first": In(1), "last": In(1), "times": Out(TIMES)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inside = Signal(8)  # images in the accelerator
        timing, following = Signal(), Signal()
        cycles = Signal(32, reset_less=True)
        m.d.sync += [inside.eq(inside + self.first - self.last), cycles.eq(cycles + 1)]
        with m.If(inside == 0):
            m.d.sync += following.eq(0)
        with m.If(self.last):
            m.d.sync += [cycles.eq(1), following.eq(1), timing.eq(0)]
            with m.If(timing):
                m.d.sync += self.times.latency.eq(cycles)
            with m.If(following):
                m.d.sync += self.times.interval.eq(cycles)
        with m.Elif(self.first & (inside == 0)):
            m.d.sync += [cycles.eq(1), timing.eq(1)]
        return m
