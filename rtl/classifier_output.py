"""The end of a classifier: scores as bytes, then the index of the first largest."""

from __future__ import annotations

from math import ceil

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.counter import LoopNest


class ClassifierOutput(wiring.Component):
    """Takes `classes` scores, one a word, and sends one frame of bytes an image.

    Each score is sign-extended to whole bytes, low byte first; the last byte, with `last` set, is
    the index of the first largest score. Latency 0; classes · score_bytes + 1 cycles an image.
    """

    def __init__(self, *, classes: int, score_shape: Shape) -> None:
        if not 1 <= classes <= 256:
            raise ValueError(f"classes must be 1 to 256, not {classes}")
        self.classes, self.score_shape = classes, score_shape
        byte = data.StructLayout({"data": 8, "last": 1})
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(score_shape, 1))),
                "o": Out(stream.Signature(byte)),
            }
        )

    @property
    def score_bytes(self) -> int:
        """Bytes of one score."""
        bits: int = self.score_shape.width
        return ceil(bits / 8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.at = at = LoopNest({"score": self.classes, "byte": self.score_bytes})
        score = Signal(self.score_shape)
        best, winner = Signal(self.score_shape, reset_less=True), Signal(8, reset_less=True)
        closing, take = Signal(), Signal()
        wide = Signal(Shape(8 * self.score_bytes, self.score_shape.signed))
        m.d.comb += [
            score.eq(self.i.payload[0]),
            wide.eq(score),
            self.o.valid.eq(self.i.valid | closing),
            self.o.payload.data.eq(
                Mux(closing, winner, wide.as_unsigned().word_select(at.value["byte"], 8))
            ),
            self.o.payload.last.eq(closing),
            take.eq(self.o.valid & self.o.ready),
            at.step.eq(take & ~closing),
            self.i.ready.eq(self.o.ready & ~closing & at.last_of["byte"]),
        ]
        with m.If(take):
            m.d.sync += closing.eq(at.last & ~closing)
        with m.If(at.step & at.last_of["byte"]):
            with m.If(at.first_of["score"] | (score > best)):
                m.d.sync += [best.eq(score), winner.eq(at.value["score"])]
        return m
