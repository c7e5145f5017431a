# amaranth: UnusedElaboratable=no
"""Frames that end too early: completed on the way in, and their answers taken away on the way out.

Without it, images are counted by their words alone, and one lost word shifts all that follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.counter import LoopNest

DROPPED_BITS = 16


@dataclass(frozen=True, kw_only=True)
class FrameGuard:
    """Around a network of `words` words an image.

    bits_in, bits_out: of a word at its input and output. frames: images that are inside it at once;
    with more, the next one waits.
    """

    words: int
    bits_in: int
    bits_out: int
    frames: int

    def __post_init__(self) -> None:
        for name in ("words", "bits_in", "bits_out", "frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def model(self, lasts: Iterable[bool]) -> list[bool]:
        """Of each image that a stream of words completes, whether it is answered.

        lasts: of each word, whether it ends a frame. An image that a frame leaves unfinished is
        complete, and not answered.
        """
        answered, at = [], 0
        for last in lasts:
            at += 1
            if at == self.words or last:
                answered.append(at == self.words)
                at = 0
        return answered

    def component(self) -> FrameGuardUnit:
        return FrameGuardUnit(self)


def words(bits: int) -> stream.Signature:
    """A stream of `data` with `last`."""
    return stream.Signature(data.StructLayout({"data": unsigned(bits), "last": unsigned(1)}))


class FrameGuardUnit(wiring.Component):
    """Hardware of :class:`FrameGuard`. Costs counters of words, of images in, of answers out and of
    those that were dropped.

    Ports
    -----
    i : stream of words, `last` with the end of a frame: one image or several
    to_network : stream of whole images alone, `last` with the end of each
    from_network : stream of answers, `last` with the end of each
    o : stream of the same, but for those of images that were not complete
    dropped : answers that were taken away, at most 65535

    Protocol
    --------
    Words pass without delay. Where a frame ends within an image, words of any value complete it,
    one a cycle, and its answer is taken away; one that had begun before, which depends on none of
    the missing words, stays. A stream that never raises `last` is counted by words alone.

    Latency
    -------
    0 cycles. An unfinished frame that ends while the answer to another one is still awaited waits
    at its end.
    """

    def __init__(self, guard: FrameGuard) -> None:
        self.guard = guard
        super().__init__(
            {
                "i": In(words(guard.bits_in)),
                "to_network": Out(words(guard.bits_in)),
                "from_network": In(words(guard.bits_out)),
                "o": Out(words(guard.bits_out)),
                "dropped": Out(DROPPED_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # images are numbered: the one that comes, the one whose answer comes, the unfinished one
        comes, answered, unfinished = (
            Signal(range(self.guard.frames + 1), name=name)
            for name in ("comes", "answered", "unfinished")
        )
        awaited = Signal()
        short = self._input(m, comes, answered, awaited)
        ended, taken = self._output(m, awaited & (answered == unfinished))
        over = ((comes + 1)[: len(comes)] == answered) | (ended & (answered == comes))
        with m.If(ended):
            m.d.sync += answered.eq(answered + 1)
            with m.If(answered == unfinished):
                m.d.sync += awaited.eq(0)
        with m.If(short & ~over):
            m.d.sync += [unfinished.eq(comes), awaited.eq(1)]
        with m.If(ended & taken & ~self.dropped.all()):
            m.d.sync += self.dropped.eq(self.dropped + 1)
        return m

    def _input(self, m: Module, comes: Signal, answered: Signal, awaited: Signal) -> Signal:
        """Completes images; a flag in the cycle in which an unfinished frame ends."""
        i, o = self.i, self.to_network
        m.submodules.at = at = LoopNest({"word": self.guard.words})
        filling, wait, short, moves = Signal(), Signal(), Signal(), Signal()
        early = i.payload.last & ~at.last
        full = at.first & ((comes + 1)[: len(comes)] == answered)
        m.d.comb += [
            wait.eq(full | (early & awaited)),
            o.payload.data.eq(i.payload.data),
            o.payload.last.eq(at.last),
            o.valid.eq(filling | (i.valid & ~wait)),
            i.ready.eq(o.ready & ~filling & ~wait),
            moves.eq(o.valid & o.ready),
            at.step.eq(moves),
            short.eq(moves & ~filling & early),
        ]
        with m.If(moves):
            m.d.sync += filling.eq((filling | early) & ~at.last)
            with m.If(at.last):
                m.d.sync += comes.eq(comes + 1)
        return short

    def _output(self, m: Module, drop: Signal) -> tuple[Signal, Signal]:
        """Passes answers, or takes them away; flags of an answer's end, and whether it was taken.

        Which of the two is settled once its first word has been offered.
        """
        i, o = self.from_network, self.o
        begun, was, taken, ended = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            taken.eq(Mux(begun, was, drop)),
            o.payload.eq(i.payload),
            o.valid.eq(i.valid & ~taken),
            i.ready.eq(o.ready | taken),
            ended.eq(i.valid & i.ready & i.payload.last),
        ]
        with m.If(i.valid):
            m.d.sync += [begun.eq(~ended), was.eq(taken)]
        return ended, taken
