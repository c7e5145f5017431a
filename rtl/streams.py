# amaranth: UnusedElaboratable=no
"""Stream plumbing: width converters, FIFO, fork, residual join. All keep one word a cycle going."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from amaranth.hdl import Cat, Module, Shape, Signal, signed
from amaranth.lib import fifo

from rtl.block import BlockDescription, BlockUnit, Words
from rtl.stage import Outlet, Requant, requantise


@dataclass(frozen=True, kw_only=True)
class Converter(BlockDescription):
    """Between words of `lanes` elements and words of `factor` times as many."""

    shape: Shape
    lanes: int
    factor: int

    def __post_init__(self) -> None:
        if self.factor < 2:
            raise ValueError(f"factor must be at least 2, not {self.factor}")

    @property
    def narrow(self) -> Words:
        return Words(self.shape, self.lanes)

    @property
    def wide(self) -> Words:
        return Words(self.shape, self.lanes * self.factor)

    @property
    def latency(self) -> int:
        return 1


class Widen(Converter):
    """`factor` words of `lanes` elements become one, the first in the low lanes."""

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": self.narrow}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": self.wide}

    def component(self) -> WidenUnit:
        return WidenUnit(self)


class WidenUnit(BlockUnit[Widen]):
    """Hardware of :class:`Widen`.

    Ports
    -----
    i : stream of words of `lanes` elements
    o : stream of words of `lanes` · `factor` elements

    Protocol
    --------
    A word is taken while the one before it leaves, so that none is ever lost to the handshake.

    Latency
    -------
    1 cycle after the last of the `factor` words.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        parts = Signal(len(self.o.payload.as_value()), reset_less=True)
        # one-hot position of the next part; the top bit means that the word is complete
        place = Signal(self.block.factor + 1, init=1)
        take = Signal()
        m.d.comb += [
            self.o.valid.eq(place[-1]),
            self.o.payload.eq(parts),
            self.i.ready.eq(~self.o.valid | self.o.ready),
            take.eq(self.i.valid & self.i.ready),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += place.eq(1)
        with m.If(take):
            part = self.i.payload.as_value()
            m.d.sync += [
                parts.eq(Cat(parts[len(part) :], part)),
                place.eq(place << 1),
            ]
            with m.If(self.o.valid):
                m.d.sync += place.eq(2)
        return m


class Narrow(Converter):
    """One word becomes `factor` words of `lanes` elements, the low lanes first."""

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": self.wide}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": self.narrow}

    def component(self) -> NarrowUnit:
        return NarrowUnit(self)


class NarrowUnit(BlockUnit[Narrow]):
    """Hardware of :class:`Narrow`.

    Ports
    -----
    i : stream of words of `lanes` · `factor` elements
    o : stream of words of `lanes` elements

    Protocol
    --------
    The next word is taken while the last part of the one before leaves.

    Latency
    -------
    1 cycle to the first part.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        parts = Signal(len(self.i.payload.as_value()), reset_less=True)
        left = Signal(self.block.factor)
        width = len(self.o.payload.as_value())
        m.d.comb += [
            self.o.valid.eq(left[0]),
            self.o.payload.eq(parts[:width]),
            self.i.ready.eq(~left[0] | (self.o.ready & ~left[1])),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [left.eq(left >> 1), parts.eq(parts >> width)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [left.eq(~0), parts.eq(self.i.payload)]
        return m


def converters(shape: Shape, lanes_in: int, lanes_out: int) -> list[Narrow | Widen]:
    """The converters, in order, from words of `lanes_in` elements to words of `lanes_out`."""
    common = gcd(lanes_in, lanes_out)
    chain: list[Narrow | Widen] = []
    if lanes_in > common:
        chain.append(Narrow(shape=shape, lanes=common, factor=lanes_in // common))
    if lanes_out > common:
        chain.append(Widen(shape=shape, lanes=common, factor=lanes_out // common))
    return chain


@dataclass(frozen=True, kw_only=True)
class Fifo(BlockDescription):
    """First in, first out. depth: words, at least 2; None, unbounded, is for schedules alone."""

    shape: Shape
    lanes: int
    depth: int | None

    def __post_init__(self) -> None:
        if self.depth is not None and self.depth < 2:
            raise ValueError(f"FIFO depth must be at least 2, not {self.depth}")

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": Words(self.shape, self.lanes)}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": Words(self.shape, self.lanes)}

    @property
    def latency(self) -> int:
        return 2

    def component(self) -> FifoUnit:
        return FifoUnit(self)


class FifoUnit(BlockUnit[Fifo]):
    """Hardware of :class:`Fifo`, in block RAM where it is deep.

    Ports
    -----
    i, o : streams of words of `lanes` elements

    Latency
    -------
    2 cycles through an empty one.
    """

    def __init__(self, block: Fifo) -> None:
        if block.depth is None:
            raise ValueError("an unbounded FIFO is no hardware: give it a depth")
        super().__init__(block)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.i.payload.as_value())
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=width, depth=self.block.depth)
        m.d.comb += [
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        return m


@dataclass(frozen=True, kw_only=True)
class Fork(BlockDescription):
    """Gives every word to both `o_a` and `o_b`, each in its own time."""

    shape: Shape
    lanes: int

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": Words(self.shape, self.lanes)}

    @property
    def outputs(self) -> dict[str, Words]:
        word = Words(self.shape, self.lanes)
        return {"o_a": word, "o_b": word}

    @property
    def latency(self) -> int:
        return 0

    def component(self) -> ForkUnit:
        return ForkUnit(self)


class ForkUnit(BlockUnit[Fork]):
    """Hardware of :class:`Fork`.

    Ports
    -----
    i, o_a, o_b : streams of words of `lanes` elements

    Protocol
    --------
    A word is taken from `i` when the later one of the two outputs takes it.

    Latency
    -------
    0 cycles: payloads are wires.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        done = Signal(2)
        outs = (self.o_a, self.o_b)
        for k, o in enumerate(outs):
            m.d.comb += [o.payload.eq(self.i.payload), o.valid.eq(self.i.valid & ~done[k])]
            with m.If(o.valid & o.ready):
                m.d.sync += done[k].eq(1)
        m.d.comb += self.i.ready.eq(Cat(done[k] | o.ready for k, o in enumerate(outs)).all())
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += done.eq(0)
        return m


@dataclass(frozen=True, kw_only=True, eq=False)
class Join(BlockDescription):
    """Residual: requantised i_a·2^shifts[0] + i_b·2^shifts[1], exact in `acc_bits` signed bits."""

    shapes: tuple[Shape, Shape]
    shifts: tuple[int, int]
    lanes: int
    acc_bits: int
    requant: Requant

    @property
    def inputs(self) -> dict[str, Words]:
        a, b = (Words(shape, self.lanes) for shape in self.shapes)
        return {"i_a": a, "i_b": b}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": Words(self.requant.out_shape, self.lanes)}

    @property
    def latency(self) -> int:
        """Enabled cycles from two words to their sum at the end of the pipeline."""
        return 1 + self.requant.unit(lanes=self.lanes, x_bits=self.acc_bits).latency

    def component(self) -> JoinUnit:
        return JoinUnit(self)


class JoinUnit(BlockUnit[Join]):
    """Hardware of :class:`Join`.

    Ports
    -----
    i_a, i_b : streams of words of `lanes` elements
    o : stream of words of `lanes` sums

    Protocol
    --------
    Words are taken in pairs: each input waits for the other one.

    Latency
    -------
    A word leaves `o` one cycle after the pipeline of `latency` cycles, see rtl.stage.Outlet.
    """

    def elaborate(self, platform: object) -> Module:
        m, block = Module(), self.block
        outlet = Outlet(m, self.o)
        en, both, valid = outlet.en, Signal(), Signal()
        m.d.comb += [
            both.eq(self.i_a.valid & self.i_b.valid),
            self.i_a.ready.eq(en & self.i_b.valid),
            self.i_b.ready.eq(en & self.i_a.valid),
        ]
        sums = [
            Signal(signed(block.acc_bits), reset_less=True, name=f"sum{k}")
            for k in range(block.lanes)
        ]
        with m.If(en):
            m.d.sync += valid.eq(both)
            for k, total in enumerate(sums):
                a, b = self.i_a.payload[k], self.i_b.payload[k]
                m.d.sync += total.eq((a << block.shifts[0]) + (b << block.shifts[1]))
        requantise(m, block.requant, sums, valid, outlet)
        return m
