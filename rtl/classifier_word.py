# amaranth: UnusedElaboratable=no
"""The end of a classifier that takes all scores of an image at once: its answer as one word."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, unsigned

from rtl.block import BlockDescription, BlockUnit, Words
from rtl.delay import delayed
from rtl.stage import Outlet


@dataclass(frozen=True, kw_only=True)
class ClassifierWord(BlockDescription):
    """Takes words of `classes` scores; sends, as one word, the bytes that
    :class:`rtl.classifier_output.ClassifierOutput` sends one by one.
    """

    classes: int
    score_shape: Shape

    def __post_init__(self) -> None:
        if not 1 <= self.classes <= 256:
            raise ValueError(f"classes must be 1 to 256, not {self.classes}")

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": Words(self.score_shape, self.classes)}

    @property
    def outputs(self) -> dict[str, Words]:
        return {"o": Words(unsigned(8), self.frame_bytes)}

    @property
    def score_bytes(self) -> int:
        """Bytes of one score."""
        bits: int = self.score_shape.width
        return -(-bits // 8)

    @property
    def frame_bytes(self) -> int:
        """Bytes an image."""
        return self.classes * self.score_bytes + 1

    @property
    def latency(self) -> int:
        """Enabled cycles from a word to its answer at the outlet: one a level of comparisons."""
        return (self.classes - 1).bit_length()

    def component(self) -> ClassifierWordUnit:
        return ClassifierWordUnit(self)


@dataclass(frozen=True)
class _Entry:
    """A score, and the class that it is of."""

    score: Value
    index: Value


class ClassifierWordUnit(BlockUnit[ClassifierWord]):
    """Hardware of :class:`ClassifierWord`. Costs a comparison and a choice for each class but one,
    and registers that carry the scores beside them.

    Ports
    -----
    i : stream of words of all scores
    o : stream of words of all bytes of an answer

    Latency
    -------
    `latency` enabled cycles, and one through the outlet; a word a cycle.
    """

    def elaborate(self, platform: object) -> Module:
        m, block = Module(), self.block
        outlet = Outlet(m, self.o)
        en = outlet.en
        m.d.comb += self.i.ready.eq(en)
        scores = [self.i.payload[k] for k in range(block.classes)]
        level = [_Entry(score, Const(k, range(block.classes))) for k, score in enumerate(scores)]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            better = [self._better(m, a, b) for a, b in pairs]
            level = [self._later(m, e, en) for e in better + level[2 * len(better) :]]
            scores = [held(m, score, en) for score in scores]
        wide = Shape(8 * block.score_bytes, block.score_shape.signed)
        fields = [Signal(wide, name=f"score{k}") for k in range(block.classes)]
        m.d.comb += [field.eq(score) for field, score in zip(fields, scores, strict=True)]
        index = Signal(8)
        m.d.comb += index.eq(level[0].index)
        came = delayed(m, self.i.valid, block.latency, en)
        outlet.put(Cat(*fields, index), came)
        return m

    def _better(self, m: Module, a: _Entry, b: _Entry) -> _Entry:
        """The larger of the two, the first of equal ones."""
        later = Signal()
        m.d.comb += later.eq(b.score > a.score)
        return _Entry(Mux(later, b.score, a.score), Mux(later, b.index, a.index))

    def _later(self, m: Module, entry: _Entry, en: Signal) -> _Entry:
        shape = self.block.score_shape
        score = Signal(shape, reset_less=True)
        with m.If(en):
            m.d.sync += score.eq(entry.score)
        return _Entry(score, held(m, entry.index, en))


def held(m: Module, value: Value, en: Signal) -> Signal:
    """`value` one enabled cycle later."""
    later = Signal.like(Value.cast(value), name="held", reset_less=True)
    with m.If(en):
        m.d.sync += later.eq(value)
    return later
