"""Asynchronous serial line, 8N1: a start bit, eight data bits with the lowest first, a stop bit."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

RATES = (3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 460_800, 230_400, 115_200, 9_600)
"""Rates of common USB bridges, bits a second, fastest first."""
MIN_DIVISOR = 4
MAX_ERROR = 0.015
"""A receiver samples the last bit 9.5 bits after the edge it trusts: with an edge known to a
quarter of a bit, both ends together may differ by 0.25 / 9.5 = 2.6 %."""

RECEIVED = data.StructLayout({"data": 8, "error": 1})


def divisor(clock_hz: int, baud: int) -> int:
    """Clock cycles of a bit, rounded; ValueError where the line would be too fast or too inexact.

    clock_hz: cycles a second. baud: bits a second.
    """
    cycles = max(1, round(clock_hz / baud))
    if cycles < MIN_DIVISOR:
        raise ValueError(
            f"{baud} baud at {clock_hz} Hz is {cycles} cycles a bit: at least {MIN_DIVISOR} are "
            "needed; take a lower rate"
        )
    error = rate_error(clock_hz, baud)
    if abs(error) > MAX_ERROR:
        raise ValueError(
            f"{baud} baud at {clock_hz} Hz would be {error:+.1%} off: at most {MAX_ERROR:.1%}; "
            "take a lower rate"
        )
    return cycles


def rate_error(clock_hz: int, baud: int) -> float:
    """How far the rate of the rounded divisor is off: +0.01 is 1 % too fast."""
    return clock_hz / (max(1, round(clock_hz / baud)) * baud) - 1


def fastest_rate(clock_hz: int, rates: Sequence[int] = RATES) -> int:
    """The highest of `rates` that a clock makes exactly enough; ValueError when there is none."""
    for baud in sorted(rates, reverse=True):
        fits = clock_hz >= (MIN_DIVISOR - 0.5) * baud
        if fits and abs(rate_error(clock_hz, baud)) <= MAX_ERROR:
            return baud
    raise ValueError(f"{clock_hz} Hz: no serial rate of {', '.join(map(str, rates))} fits")


class Receiver(wiring.Component):
    """Bytes from a serial line.

    Parameters
    ----------
    divisor : cycles of a bit, at least 4

    Ports
    -----
    rx : the line
    o : stream of bytes, with `error` set where the stop bit was missing

    Protocol
    --------
    `o` offers a byte for at least nine bit times; it is lost if it has not been taken when the next
    one comes. Each bit is sampled in its middle, by a vote of three cycles.

    Latency
    -------
    A byte comes in the middle of its stop bit.
    """

    def __init__(self, *, divisor: int) -> None:
        _check(divisor)
        self.divisor = divisor
        super().__init__({"rx": In(1), "o": Out(stream.Signature(RECEIVED))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        raw, last, line = Signal(init=1), Signal(2, init=3), Signal(init=1)
        m.submodules.synchronise = FFSynchronizer(self.rx, raw, init=1)
        m.d.sync += [
            last.eq(Cat(raw, last[0])),
            line.eq((raw & last[0]) | (raw & last[1]) | (last[0] & last[1])),
        ]
        timer, bits = Signal(range(self.divisor)), Signal(range(10))
        byte = Signal(8, reset_less=True)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [timer.eq(self.divisor // 2 - 1), bits.eq(0)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"), m.If(timer == 0):
                m.d.sync += [timer.eq(self.divisor - 1), bits.eq(bits + 1)]
                with m.If(bits == 9):
                    m.d.sync += [
                        self.o.payload.data.eq(byte),
                        self.o.payload.error.eq(~line),
                        self.o.valid.eq(1),
                    ]
                    m.next = "IDLE"
                    with m.If(~line):
                        m.next = "BREAK"
                with m.Elif((bits == 0) & line):  # a glitch, no start bit
                    m.next = "IDLE"
                with m.Else():
                    m.d.sync += byte.eq(Cat(byte[1:], line))
            with m.State("BREAK"), m.If(line):
                m.next = "IDLE"
        return m


class Transmitter(wiring.Component):
    """Bytes to a serial line.

    Parameters
    ----------
    divisor : cycles of a bit, at least 4

    Ports
    -----
    i : stream of bytes
    tx : the line

    Latency
    -------
    10 · divisor + 1 cycles a byte.
    """

    def __init__(self, *, divisor: int) -> None:
        _check(divisor)
        self.divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer, left = Signal(range(self.divisor)), Signal(range(11))
        word = Signal(9, init=0x1FF)
        m.d.comb += [self.i.ready.eq(left == 0), self.tx.eq(word[0])]
        with m.If(self.i.ready):
            m.d.sync += timer.eq(self.divisor - 1)
            with m.If(self.i.valid):
                m.d.sync += [word.eq(Cat(0, self.i.payload)), left.eq(10)]
        with m.Elif(timer == 0):
            m.d.sync += [
                timer.eq(self.divisor - 1),
                left.eq(left - 1),
                word.eq(Cat(word[1:], 1)),
            ]
        with m.Else():
            m.d.sync += timer.eq(timer - 1)
        return m


def _check(divisor: int) -> None:
    if divisor < MIN_DIVISOR:
        raise ValueError(f"divisor must be at least {MIN_DIVISOR} cycles a bit, not {divisor}")
