"""A ring of words in block RAM, whose writer decides when what it wrote may be read."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.delay import ram


class PacketFifo(wiring.Component):
    """Words are written anywhere between `end` and `end` + `free`; `o` gives those before `end`.

    Parameters
    ----------
    depth : words, a power of two
    width : bits of a word

    Ports
    -----
    at, data, write : a word and where it goes
    end : moved on by the writer when words are final
    free : words that may be written beyond `end`
    some : there are words that have not reached `o`
    o : stream of the words before `end`

    Protocol
    --------
    Addresses count on past the depth: `at` and `end` have one bit more than an address. Whatever
    lies beyond `end` is not seen, so not moving it takes back what was written.

    Latency
    -------
    2 cycles from `end` to `o`, one word in and one out each cycle; `free` is a cycle late.
    """

    def __init__(self, *, depth: int, width: int = 8) -> None:
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"ring depth must be a power of two, at least 2, not {depth}")
        self.depth, self.width = depth, width
        self.bits = ceil_log2(depth)
        super().__init__(
            {
                "at": In(self.bits + 1),
                "data": In(width),
                "write": In(1),
                "end": In(self.bits + 1),
                "free": Out(self.bits + 1, init=depth),
                "some": Out(1),
                "o": Out(stream.Signature(width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = memory.Memory(
            shape=self.width, depth=self.depth, init=[], attrs=ram("block")
        )
        write, read = words.write_port(), words.read_port()
        start, fetch = Signal(self.bits + 1), Signal()
        m.d.comb += [
            write.addr.eq(self.at),
            write.data.eq(self.data),
            write.en.eq(self.write),
            self.some.eq(start != self.end),
            fetch.eq(self.some & (~self.o.valid | self.o.ready)),
            read.addr.eq(start),
            read.en.eq(fetch),
            self.o.payload.eq(read.data),
        ]
        m.d.sync += self.free.eq((start - self.end) ^ self.depth)  # depth less what is in it
        with m.If(fetch):
            m.d.sync += [start.eq(start + 1), self.o.valid.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
