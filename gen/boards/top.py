"""The module around the design on a board: clock, reset, pins and lights."""

from __future__ import annotations

from typing import Protocol

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen.boards.board import Board
from gen.boards.pins import RESET
from gen.boards.pll import PllSetting
from gen.boards.pll_cells import instance
from gen.support.verilog import verilog
from rtl.startup import Lights, Startup

TOP = "shiftadd_pins"


class DesignWithPins(Protocol):
    """What goes on a board: module `top` with ports clk, rst, rx, tx, led_busy and led_error."""

    @property
    def verilog(self) -> str: ...

    @property
    def top(self) -> str: ...


class BoardTop(wiring.Component):
    """The module `design` on the pins of `board`, with a clock of `setting`.

    Ports are those of gen.boards.pins. rst ends when the PLL has locked and the button is not
    pressed; see rtl.startup.
    """

    def __init__(self, board: Board, setting: PllSetting, design: str) -> None:
        self.board, self.setting, self.design = board, setting, design
        ports = {"clk_in": In(1), "rx": In(1), "tx": Out(1)}
        if board.leds:
            ports["led"] = Out(len(board.leds))
        if board.high:
            ports["high"] = Out(len(board.high))
        if board.button:
            ports[RESET] = In(1)
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.startup = startup = Startup()
        m.d.comb += startup.steady.eq(self._clock(m) & ~self._pressed())
        busy, error = Signal(), Signal()
        m.submodules.design = Instance(
            self.design,
            i_clk=ClockSignal(),
            i_rst=startup.rst,
            i_rx=self.rx,
            o_tx=self.tx,
            o_led_busy=busy,
            o_led_error=error,
        )
        if self.board.leds:
            self._lights(m, Cat(busy, error))
        if self.board.high:
            m.d.comb += self.high.eq(-1)
        return m

    def _clock(self, m: Module) -> Signal:
        """Drives the clock; returns whether it is steady."""
        lock = Signal(init=1)
        if not self.setting.uses_pll:
            m.d.comb += ClockSignal().eq(self.clk_in)
            return lock
        family, pad = self.board.device.family, self.board.pll == "pad"
        clock = Signal(name="pll_clock")
        m.submodules.pll = instance(
            family, self.setting, pad=pad, source=self.clk_in, clock=clock, lock=lock
        )
        m.d.comb += ClockSignal().eq(clock)
        return lock

    def _pressed(self) -> Signal:
        if not self.board.button:
            return Signal()
        button: Signal = getattr(self, RESET)
        return ~button if self.board.pin(self.board.button).inverted else button

    def _lights(self, m: Module, events: Signal) -> None:
        leds = [self.board.pin(where) for where in self.board.leds]
        m.submodules.lights = lights = Lights(
            count=len(leds), events=len(events), clock_hz=round(self.setting.hz)
        )
        m.d.comb += lights.events.eq(events)
        inverted = sum(led.inverted << i for i, led in enumerate(leds))
        m.d.comb += self.led.eq(lights.leds ^ inverted)


def board_verilog(board: Board, setting: PllSetting, design: DesignWithPins) -> str:
    """Verilog of the whole board: module TOP and the design inside it."""
    return verilog(BoardTop(board, setting, design.top), TOP) + "\n" + design.verilog
