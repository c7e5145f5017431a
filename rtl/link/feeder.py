"""What enters the accelerator: whole images only, from the line or from the built-in vector."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.delay import ram
from rtl.link.cobs import FRAME


class Feeder(wiring.Component):
    """What enters the accelerator: images from the line, or a built-in one.

    Parameters
    ----------
    vector : bytes of the built-in image
    rounds : how often it goes in a self-test

    Ports
    -----
    images : stream of bytes, whole images
    test : starts a self-test; comes only between images
    o : stream of bytes with `last` at the end of each image

    Protocol
    --------
    After `test` the vector goes `rounds` times back to back before the next image.

    Latency
    -------
    0 cycles, a byte a cycle.
    """

    def __init__(self, *, vector: bytes, rounds: int) -> None:
        if not vector or rounds < 1:
            raise ValueError(f"{len(vector)} bytes, {rounds} rounds: at least 1 of each")
        self.vector, self.rounds = vector, rounds
        super().__init__(
            {
                "images": In(stream.Signature(8)),
                "test": In(1),
                "o": Out(stream.Signature(FRAME)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.vector = vector = memory.Memory(
            shape=8, depth=len(self.vector), init=list(self.vector), attrs=ram("block")
        )
        size = len(self.vector)
        at, following = Signal(range(size)), Signal(range(size))
        left, step = Signal(range(self.rounds + 1)), Signal()
        testing = left != 0
        stored = vector.read_port()  # always reads what the next cycle needs
        m.d.comb += [
            following.eq(at),
            stored.addr.eq(following),
            step.eq(self.o.valid & self.o.ready),
            self.o.payload.last.eq(at == size - 1),
        ]
        with m.If(testing):
            m.d.comb += [self.o.valid.eq(1), self.o.payload.data.eq(stored.data)]
        with m.Else():
            m.d.comb += [
                self.o.valid.eq(self.images.valid),
                self.o.payload.data.eq(self.images.payload),
                self.images.ready.eq(self.o.ready),
            ]
        m.d.sync += at.eq(following)
        with m.If(step):
            m.d.comb += following.eq(at + 1)
            with m.If(self.o.payload.last):
                m.d.comb += following.eq(0)
                m.d.sync += left.eq(left - testing)
        with m.If(self.test):
            m.d.sync += left.eq(self.rounds)
        return m
