"""A small design for boards: it answers every byte of the serial line with its sum so far."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen.support.verilog import verilog
from rtl.link.uart import Receiver, Transmitter, divisor

TOP = "adder"


@dataclass(frozen=True)
class BoardText:
    """A gen.boards.top.DesignWithPins."""

    verilog: str
    top: str


class Adder(wiring.Component):
    """Ports as gen.boards.top.DesignWithPins wants them. `width` of the sum is what makes it
    slow."""

    def __init__(self, *, clock_hz: int, baud: int, width: int) -> None:
        self.divisor, self.width = divisor(clock_hz, baud), width
        ports = {name: In(1) for name in ("clk", "rst", "rx")}
        super().__init__(ports | {name: Out(1) for name in ("tx", "led_busy", "led_error")})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.clk), ResetSignal().eq(self.rst)]
        m.submodules.receiver = receiver = Receiver(divisor=self.divisor)
        m.submodules.transmitter = transmitter = Transmitter(divisor=self.divisor)
        total = Signal(self.width)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            receiver.o.ready.eq(1),
            transmitter.i.payload.eq(total[-8:]),
            self.led_busy.eq(receiver.o.valid),
            self.led_error.eq(receiver.o.valid & receiver.o.payload.error),
        ]
        with m.If(receiver.o.valid):
            m.d.sync += [
                total.eq(total + receiver.o.payload.data),
                transmitter.i.valid.eq(1),
            ]
        with m.Elif(transmitter.i.ready):
            m.d.sync += transmitter.i.valid.eq(0)
        return m


def adder(clock_hz: int, baud: int, width: int = 8) -> BoardText:
    return BoardText(verilog(Adder(clock_hz=clock_hz, baud=baud, width=width), TOP), TOP)
