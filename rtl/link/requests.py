"""The receiving half of the link: frames become requests, and none acts before its CRC was right.

An image is written behind those that wait, where nothing reads; only the end of a right frame moves
the mark up to which the accelerator is fed. A damaged frame therefore leaves no trace.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rtl.link.cobs import DECODED
from rtl.link.packet_fifo import PacketFifo
from rtl.link.protocol import ANSWER, CHECK, FAULTS, NO_ID, OVERHEAD, REQUEST, Op, Refusal

WAITING = 256
"""Answers that can wait: one for each id, so that no request with an id of its own goes without."""
BUFFER = 1024
"""Bytes for images, at least."""


def buffer_bytes(image_bytes: int) -> int:
    """Size of the buffer for images of `image_bytes`: two of them, a power of two."""
    size: int = 1 << ceil_log2(2 * image_bytes)
    return max(BUFFER, size)


class FrameVerdict(wiring.Component):
    """Counts and checks the bytes of a frame, and says what its answer will be.

    Parameters
    ----------
    image_bytes : of one image

    Ports
    -----
    i : stream of decoded bytes
    room : the buffer had place for the image
    idle : a self-test may run
    byte : a byte is taken
    count : bytes before it, no further than one beyond the longest frame
    end : the frame is complete
    id, code : of its answer, at `end`

    Latency
    -------
    Nine cycles a byte, as its CRC is made bit by bit; `end` comes a cycle behind the end at `i`.
    """

    def __init__(self, *, image_bytes: int) -> None:
        self.infer_bytes = OVERHEAD + image_bytes
        super().__init__(
            {
                "i": In(stream.Signature(DECODED)),
                "room": In(1),
                "idle": In(1),
                "byte": Out(1),
                "end": Out(1),
                "count": Out(range(self.infer_bytes + 2)),
                "id": Out(8),
                "code": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.check = check = CHECK(data_width=1).create()
        byte, op, ending = self.i.payload, Signal(8, reset_less=True), Signal()
        left, rest = Signal(8), Signal(8, reset_less=True)  # a one for each bit to check
        m.d.comb += [
            self.i.ready.eq(~left[0]),
            check.data.eq(rest[0]),
            check.valid.eq(left[0]),
            check.start.eq(ending),
            ending.eq(self.i.valid & self.i.ready & byte.end),
            self.byte.eq(self.i.valid & self.i.ready & ~byte.end),
        ]
        m.d.sync += [left.eq(left >> 1), rest.eq(rest >> 1), self.end.eq(ending)]
        with m.If(self.byte):
            m.d.sync += [left.eq(0xFF), rest.eq(byte.data)]
            with m.If(self.count == 0):
                m.d.sync += self.id.eq(byte.data)
            with m.If(self.count == 1):
                m.d.sync += op.eq(byte.data)
            m.d.sync += self.count.eq(self.count + (self.count <= self.infer_bytes))
        with m.If(ending):
            m.d.sync += self.count.eq(0)

        infer, test = op == Op.INFER, op == Op.SELF_TEST
        with m.If(byte.error | ~check.match_detected | (self.count < OVERHEAD)):
            m.d.sync += self.code.eq(Refusal.DAMAGED)
        with m.Elif((op < min(Op)) | (op > max(Op))):
            m.d.sync += self.code.eq(Refusal.UNKNOWN)
        with m.Elif(self.count != Mux(infer, self.infer_bytes, OVERHEAD)):
            m.d.sync += self.code.eq(Refusal.LENGTH)
        with m.Elif((infer & ~self.room) | (test & ~self.idle)):
            m.d.sync += self.code.eq(Refusal.BUSY)
        with m.Else():
            m.d.sync += self.code.eq(op | ANSWER)
        return m


class Requests(wiring.Component):
    """Frames to requests, in order, and the bytes of their images.

    Parameters
    ----------
    image_bytes : of one image

    Ports
    -----
    i : stream of decoded bytes
    o : stream of requests
    images : stream of bytes
    idle : nothing is being answered
    test : high for one cycle when a self-test is accepted
    waiting : a request waits
    faults : counts of damaged and refused frames
    error : the last frame was damaged

    Protocol
    --------
    A self-test is accepted only while `idle` is high and no request waits. Damaged frames are
    answered with NO_ID while less than half of the queue is in use, so that noise cannot crowd out
    requests.

    Latency
    -------
    A request comes when the CRC of its frame was right.
    """

    def __init__(self, *, image_bytes: int) -> None:
        if image_bytes < 1:
            raise ValueError(f"image_bytes must be at least 1, not {image_bytes}")
        self.image_bytes = image_bytes
        super().__init__(
            {
                "i": In(stream.Signature(DECODED)),
                "o": Out(stream.Signature(REQUEST)),
                "images": Out(stream.Signature(8)),
                "idle": In(1),
                "test": Out(1),
                "waiting": Out(1),
                "faults": Out(FAULTS),
                "error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.verdict = verdict = FrameVerdict(image_bytes=self.image_bytes)
        m.submodules.queue = queue = PacketFifo(depth=WAITING, width=16)
        wiring.connect(m, wiring.flipped(self.i), verdict.i)
        kept, damaged = Signal(), Signal()
        place, half = Signal(), Signal()
        m.d.sync += [place.eq(queue.free != 0), half.eq(queue.free > WAITING // 2)]
        m.d.comb += [
            self.waiting.eq(queue.o.valid | queue.some),
            verdict.idle.eq(self.idle & ~self.waiting),
            damaged.eq(verdict.code == Refusal.DAMAGED),
            kept.eq(verdict.end & Mux(damaged, half, place)),
            queue.at.eq(queue.end),
            queue.data.eq(Cat(Mux(damaged, NO_ID, verdict.id), verdict.code)),
            queue.write.eq(kept),
            self.o.payload.eq(queue.o.payload),
            self.o.valid.eq(queue.o.valid),
            queue.o.ready.eq(self.o.ready),
            self.test.eq(kept & (verdict.code == ANSWER + Op.SELF_TEST)),
        ]
        with m.If(kept):
            m.d.sync += queue.end.eq(queue.end + 1)
        self._image(m, verdict, kept & (verdict.code == ANSWER + Op.INFER))
        with m.If(verdict.end):
            m.d.sync += self.error.eq(damaged)
            self._count(m, verdict.code, kept)
        return m

    def _image(self, m: Module, verdict: FrameVerdict, commit: Value) -> None:
        """Write the image of a frame behind the mark; move the mark on when it is committed."""
        m.submodules.ring = ring = PacketFifo(depth=buffer_bytes(self.image_bytes))
        wiring.connect(m, ring.o, wiring.flipped(self.images))
        at, writing, room = Signal.like(ring.at), Signal(), Signal()
        m.d.comb += [
            ring.at.eq(at),
            ring.data.eq(self.i.payload.data),
            ring.write.eq(verdict.byte & writing),
            verdict.room.eq(room),
        ]
        with m.If(verdict.byte & (verdict.count == 1)):
            fits = ring.free >= self.image_bytes
            m.d.sync += [room.eq(fits), writing.eq(fits & (self.i.payload.data == Op.INFER))]
        with m.If(ring.write):
            m.d.sync += at.eq(at + 1)
            with m.If(verdict.count == self.image_bytes + 1):
                m.d.sync += writing.eq(0)
        with m.If(verdict.end):
            m.d.sync += [writing.eq(0), at.eq(ring.end)]
            with m.If(commit):
                m.d.sync += [at.eq(at), ring.end.eq(at)]

    def _count(self, m: Module, code: Signal, kept: Signal) -> None:
        """Add a frame that is not served to the faults."""
        faults = self.faults
        with m.Switch(code):
            with m.Case(Refusal.DAMAGED):
                m.d.sync += faults.damaged.eq(faults.damaged + 1)
            with m.Case(Refusal.UNKNOWN, Refusal.LENGTH):
                m.d.sync += faults.refused.eq(faults.refused + 1)
            with m.Case(Refusal.BUSY):
                m.d.sync += faults.busy.eq(faults.busy + 1)
            with m.Default(), m.If(~kept):
                m.d.sync += faults.busy.eq(faults.busy + 1)
