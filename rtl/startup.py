"""Reset after power-on, and lights that show life: what a board adds around an accelerator."""

from __future__ import annotations

from functools import reduce
from operator import xor

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out


class Startup(wiring.Component):
    """Reset after power-on. Belongs in a domain without a reset.

    Parameters
    ----------
    cycles : a power of two. A block RAM of an iCE40 wants some microseconds before it is read

    Ports
    -----
    steady : from outside the clock domain, such as a PLL's lock and a button that is not pressed
    rst : reset of the design

    Latency
    -------
    `rst` is 1 from power-on until `steady` has been 1 for `cycles` cycles on end, and again
    whenever it is not, two or three cycles later.
    """

    def __init__(self, *, cycles: int = 1024) -> None:
        if cycles < 2 or cycles & (cycles - 1):
            raise ValueError(f"cycles must be a power of two of at least 2, not {cycles}")
        self.cycles = cycles
        super().__init__({"steady": In(1), "rst": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        steady = Signal()
        m.submodules.synchronise = FFSynchronizer(self.steady, steady)
        waited = Signal(range(2 * self.cycles))
        m.d.sync += self.rst.eq(~waited[-1])
        with m.If(~steady):
            m.d.sync += waited.eq(0)
        with m.Elif(~waited[-1]):
            m.d.sync += waited.eq(waited + 1)
        return m


class Lights(wiring.Component):
    """Lights for people: the first blinks by the clock, others show events, however short.

    Parameters
    ----------
    count : lights, at least 1
    events : bits
    clock_hz : a blink takes 1 to 2 seconds

    Ports
    -----
    events : bit i lights bit i + 1 of `leds`; where there are fewer lights, the last shows all the
        rest by exclusive or
    leds : the lights

    Latency
    -------
    An event shows for one to two sixteenths of a blink.
    """

    def __init__(self, *, count: int, events: int, clock_hz: int) -> None:
        if count < 1 or events < 0:
            raise ValueError(f"{count} lights for {events} events: at least 1 and 0 are needed")
        if clock_hz < 16:
            raise ValueError(f"clock_hz must be at least 16, not {clock_hz}")
        self.count, self.event_count, self.clock_hz = count, events, clock_hz
        super().__init__({"events": In(events), "leds": Out(count)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        time = Signal(self.clock_hz.bit_length())
        m.d.sync += time.eq(time + 1)
        tick = Signal()
        m.d.comb += tick.eq(time[:-4] == 0)
        seen, shown = Signal.like(self.events), Signal.like(self.events)
        with m.If(tick):
            m.d.sync += [shown.eq(seen | self.events), seen.eq(0)]
        with m.Else():
            m.d.sync += seen.eq(seen | self.events)
        signs = [time[-1], *shown]
        alone, rest = signs[: self.count - 1], signs[self.count - 1 :]
        m.d.comb += [self.leds[i].eq(sign) for i, sign in enumerate(alone)]
        if rest:
            m.d.comb += self.leds[self.count - 1].eq(reduce(xor, rest))
        return m
