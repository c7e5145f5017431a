"""The end of a classifier: scores as bytes, then the index of the first largest."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from amaranth.hdl import C, Cat, Module, Mux, Shape, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.block import BlockDescription, Words
from rtl.counter import LoopNest

BYTE = data.StructLayout({"data": 8, "last": 1})
"""What leaves the accelerator."""


@dataclass(frozen=True, kw_only=True)
class ClassifierOutput(BlockDescription):
    """Takes `classes` scores, one a word, and sends one frame of bytes an image.

    Each score is sign-extended to whole bytes, low byte first; the last byte, with `last` set, is
    the index of the first largest score.
    """

    classes: int
    score_shape: Shape

    def __post_init__(self) -> None:
        if not 1 <= self.classes <= 256:
            raise ValueError(f"classes must be 1 to 256, not {self.classes}")

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": Words(self.score_shape, 1)}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": Words(unsigned(8), 1)}

    @property
    def score_bytes(self) -> int:
        """Bytes of one score."""
        bits: int = self.score_shape.width
        return ceil(bits / 8)

    @property
    def frame_bytes(self) -> int:
        """Bytes an image."""
        return self.classes * self.score_bytes + 1

    @property
    def latency(self) -> int:
        return 0

    def component(self) -> ClassifierOutputUnit:
        return ClassifierOutputUnit(self)


class ClassifierOutputUnit(wiring.Component):
    """Hardware of :class:`ClassifierOutput`.

    Ports
    -----
    i : stream of scores
    o : stream of bytes with `last`

    Protocol
    --------
    A score is taken with its last byte, so nothing is stored but the best one so far.

    Latency
    -------
    0 cycles; `frame_bytes` cycles an image.
    """

    def __init__(self, block: ClassifierOutput) -> None:
        self.block = block
        super().__init__({"i": In(block.inputs["i"].signature), "o": Out(stream.Signature(BYTE))})

    def elaborate(self, platform: object) -> Module:
        m, block = Module(), self.block
        m.submodules.at = at = LoopNest({"score": block.classes, "byte": block.score_bytes})
        score = Signal(block.score_shape)
        best, winner = Signal(block.score_shape, reset_less=True), Signal(8, reset_less=True)
        closing, take = Signal(), Signal()
        wide = Signal(Shape(8 * block.score_bytes, block.score_shape.signed))
        # a shift of the whole word: tools warn of a selected part that it is cut off
        byte = (wide.as_unsigned() >> Cat(C(0, 3), at.value["byte"]))[:8]
        m.d.comb += [
            score.eq(self.i.payload[0]),
            wide.eq(score),
            self.o.valid.eq(self.i.valid | closing),
            self.o.payload.data.eq(Mux(closing, winner, byte)),
            self.o.payload.last.eq(closing),
            take.eq(self.o.valid & self.o.ready),
            at.step.eq(take & ~closing),
            self.i.ready.eq(self.o.ready & ~closing & at.last_of["byte"]),
        ]
        with m.If(take):
            m.d.sync += closing.eq(at.last & ~closing)
        # a score of several bytes is there before its last one: time for a register
        better = Signal()
        domain = m.d.sync if block.score_bytes > 1 else m.d.comb
        domain += better.eq((best - score)[-1])  # a sum's sign is faster than a comparison
        with m.If(at.step & at.last_of["byte"] & (at.first_of["score"] | better)):
            m.d.sync += [best.eq(score), winner.eq(at.value["score"])]
        return m
