"""Consistent overhead byte stuffing (Cheshire and Baker, 1999): frames of any bytes without zeros.

A frame is cut at its zeros into blocks; each block goes as its length plus one and its bytes, and a
zero byte ends the frame. A block of 254 bytes, length 255, has no zero behind it.
"""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.link.packet_fifo import PacketFifo
from rtl.link.uart import RECEIVED

DECODED = data.StructLayout({"data": 8, "end": 1, "error": 1})
FRAME = data.StructLayout({"data": 8, "last": 1})
FULL = 0xFF


class Decoder(wiring.Component):
    """Bytes of the line to bytes of frames, at most one for one.

    Ports
    -----
    i : stream of received bytes
    o : stream of bytes, or of `end`, which closes a frame and carries no byte; with it, `error`
        says that a byte of the frame was damaged or that its last block was cut

    Protocol
    --------
    Delimiters without a frame between them give nothing.

    Latency
    -------
    0 cycles.
    """

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(RECEIVED)), "o": Out(stream.Signature(DECODED))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        byte, o = self.i.payload, self.o.payload
        left, full = Signal(8), Signal()
        inside, bad = Signal(), Signal()
        take, delimiter = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(self.o.ready),
            take.eq(self.i.valid & self.i.ready),
            delimiter.eq((byte.data == 0) & ~byte.error),
            o.end.eq(delimiter),
            o.error.eq(bad | (left != 0)),
        ]
        with m.If(delimiter):
            m.d.comb += self.o.valid.eq(self.i.valid & inside)
        with m.Elif(left != 0):
            m.d.comb += [self.o.valid.eq(self.i.valid), o.data.eq(byte.data)]
        with m.Else():  # a block begins: the zero that the one before stood for
            m.d.comb += self.o.valid.eq(self.i.valid & inside & ~full)
        with m.If(take):
            m.d.sync += [inside.eq(~delimiter), bad.eq(~delimiter & (bad | byte.error))]
            with m.If(delimiter):
                m.d.sync += left.eq(0)
            with m.Elif(left != 0):
                m.d.sync += left.eq(left - 1)
            with m.Else():
                m.d.sync += [left.eq(byte.data - 1), full.eq(byte.data == FULL)]
        return m


class Encoder(wiring.Component):
    """Frames to bytes of the line, delimiter included, through a packet FIFO.

    Parameters
    ----------
    depth : bytes, a power of two; at least 512, as a block is held until it is complete

    Ports
    -----
    i : stream of bytes with `last`
    o : stream of bytes without zeros but for the delimiters

    Protocol
    --------
    `i.ready` is low while the FIFO is full. The length of a block is written into its place when
    the block ends, so that every byte costs one write.

    Latency
    -------
    A block leaves when it is complete. A byte a cycle, two cycles more for a frame and one for a
    full block.
    """

    def __init__(self, *, depth: int = 512) -> None:
        if depth < 512:
            raise ValueError(f"depth must be at least 512 bytes, not {depth}")
        self.depth = depth
        super().__init__({"i": In(stream.Signature(FRAME)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.ring = ring = PacketFifo(depth=self.depth)
        wiring.connect(m, ring.o, wiring.flipped(self.o))
        block, here = Signal(ring.bits + 1), Signal(ring.bits + 1, init=1)
        count, room = Signal(8, init=1), Signal()
        m.d.comb += [
            ring.end.eq(block),
            ring.at.eq(block),
        ]
        # a block and a delimiter, in whole quarters of the ring; those two cycles old will do
        m.d.sync += room.eq(ring.free >= self.depth * 3 // 4)
        with m.If(ring.write):
            m.d.sync += here.eq(here + 1)

        def close(length: Signal | int) -> None:
            """Writes the length of the block; the next one begins behind it."""
            m.d.comb += [ring.data.eq(length), ring.write.eq(1)]
            m.d.sync += [block.eq(here), count.eq(1)]

        with m.FSM():
            with m.State("BYTES"):
                m.d.comb += self.i.ready.eq(room & (count != FULL))
                with m.If(count == FULL):
                    close(count)
                with m.Elif(self.i.valid & room):
                    with m.If(self.i.payload.data == 0):
                        close(count)
                    with m.Else():
                        m.d.comb += [
                            ring.at.eq(here),
                            ring.data.eq(self.i.payload.data),
                            ring.write.eq(1),
                        ]
                        m.d.sync += count.eq(count + 1)
                    with m.If(self.i.payload.last):
                        m.next = "LENGTH"
            with m.State("LENGTH"):
                close(count)
                m.next = "DELIMITER"
            with m.State("DELIMITER"):
                close(0)
                m.next = "BYTES"
        return m
