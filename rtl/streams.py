# amaranth: UnusedElaboratable=no
"""Stream plumbing: width converters, FIFO, fork, residual join. All keep one word a cycle going."""

from __future__ import annotations

from math import gcd

from amaranth.hdl import Cat, Module, Shape, Signal, signed
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.stage import Outlet, Requant, requantise


class Widen(wiring.Component):
    """`factor` words of `lanes` elements become one, the first in the low lanes.

    Latency 1 after the last of them.
    """

    def __init__(self, *, shape: Shape, lanes: int, factor: int) -> None:
        if factor < 2:
            raise ValueError(f"factor must be at least 2, not {factor}")
        self.lanes, self.factor = lanes, factor
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(shape, lanes))),
                "o": Out(stream.Signature(data.ArrayLayout(shape, lanes * factor))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        parts = Signal(len(self.o.payload.as_value()), reset_less=True)
        # one-hot position of the next part; the top bit means that the word is complete
        place = Signal(self.factor + 1, init=1)
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


class Narrow(wiring.Component):
    """One word becomes `factor` words of `lanes` elements, the low lanes first. Latency 1."""

    def __init__(self, *, shape: Shape, lanes: int, factor: int) -> None:
        if factor < 2:
            raise ValueError(f"factor must be at least 2, not {factor}")
        self.lanes, self.factor = lanes, factor
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(shape, lanes * factor))),
                "o": Out(stream.Signature(data.ArrayLayout(shape, lanes))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        parts = Signal(len(self.i.payload.as_value()), reset_less=True)
        left = Signal(self.factor)
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


class Fifo(wiring.Component):
    """First in, first out, in block RAM where it is deep. Latency 2. depth: words, at least 2."""

    def __init__(self, *, shape: Shape, lanes: int, depth: int) -> None:
        if depth < 2:
            raise ValueError(f"FIFO depth must be at least 2, not {depth}")
        self.depth = depth
        word = stream.Signature(data.ArrayLayout(shape, lanes))
        super().__init__({"i": In(word), "o": Out(word)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.i.payload.as_value())
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=width, depth=self.depth)
        m.d.comb += [
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy),
            queue.r_en.eq(self.o.ready),
        ]
        return m


class Fork(wiring.Component):
    """Gives every word to both `o_a` and `o_b`, each in its own time. Latency 0."""

    def __init__(self, *, shape: Shape, lanes: int) -> None:
        word = stream.Signature(data.ArrayLayout(shape, lanes))
        super().__init__({"i": In(word), "o_a": Out(word), "o_b": Out(word)})

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


class Join(wiring.Component):
    """Residual: requantised i_a·2^shifts[0] + i_b·2^shifts[1], exact in `acc_bits` signed bits.

    A word leaves `o` one cycle after the pipeline of `latency` cycles, see Outlet.
    """

    def __init__(
        self,
        *,
        shapes: tuple[Shape, Shape],
        shifts: tuple[int, int],
        lanes: int,
        acc_bits: int,
        requant: Requant,
    ) -> None:
        self.shifts, self.lanes = shifts, lanes
        self.acc_bits, self.requant = acc_bits, requant
        super().__init__(
            {
                "i_a": In(stream.Signature(data.ArrayLayout(shapes[0], lanes))),
                "i_b": In(stream.Signature(data.ArrayLayout(shapes[1], lanes))),
                "o": Out(stream.Signature(data.ArrayLayout(requant.out_shape, lanes))),
            }
        )

    @property
    def latency(self) -> int:
        """Enabled cycles from two words to their sum at the end of the pipeline."""
        return 1 + self.requant.hardware(lanes=self.lanes, x_bits=self.acc_bits).latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        outlet = Outlet(m, self.o)
        en, both, valid = outlet.en, Signal(), Signal()
        m.d.comb += [
            both.eq(self.i_a.valid & self.i_b.valid),
            self.i_a.ready.eq(en & self.i_b.valid),
            self.i_b.ready.eq(en & self.i_a.valid),
        ]
        sums = [
            Signal(signed(self.acc_bits), reset_less=True, name=f"sum{k}")
            for k in range(self.lanes)
        ]
        with m.If(en):
            m.d.sync += valid.eq(both)
            for k, total in enumerate(sums):
                a, b = self.i_a.payload[k], self.i_b.payload[k]
                m.d.sync += total.eq((a << self.shifts[0]) + (b << self.shifts[1]))
        requantise(m, self.requant, sums, valid, outlet)
        return m
