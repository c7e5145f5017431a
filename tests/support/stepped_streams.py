"""Blocks that only move words, cycle by cycle; see `tests.support.stepped_models`."""

from __future__ import annotations

from collections.abc import Sequence

from rtl.classifier_output import ClassifierOutput
from rtl.streams import Fifo, Fork, Narrow, Widen
from tests.support.stepped_models import FOREVER, SteppedModel, stepped_model


@stepped_model.register(Widen)
class WidenCycles(SteppedModel):
    """rtl.streams.WidenUnit."""

    def __init__(self, block: Widen) -> None:
        self.factor, self.count = block.factor, 0

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        return (self.count == self.factor,)

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (self.count < self.factor or o_ready[0],)

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        if gave[0]:
            self.count = 0
        self.count += took[0]


@stepped_model.register(Narrow)
class NarrowCycles(SteppedModel):
    """rtl.streams.NarrowUnit."""

    def __init__(self, block: Narrow) -> None:
        self.factor, self.left = block.factor, 0

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        return (self.left > 0,)

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (self.left == 0 or (o_ready[0] and self.left == 1),)

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        self.left -= gave[0]
        if took[0]:
            self.left = self.factor


@stepped_model.register(Fifo)
class FifoCycles(SteppedModel):
    """rtl.streams.FifoUnit: a word shows at the output two cycles after it came.

    A run with unbounded FIFOs (depth None) tells in `needed` the depth at which they had never
    refused a word.
    """

    def __init__(self, block: Fifo) -> None:
        self.depth = block.depth
        self.inner = 0
        self.out = False
        self.most = 0

    @property
    def needed(self) -> int:
        return self.most + 2

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        return (self.out,)

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (self.depth is None or self.inner < self.depth - 1,)

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        moved = self.inner > 0 and (not self.out or o_ready[0])
        self.out = moved or (self.out and not gave[0])
        self.inner += took[0] - moved
        self.most = max(self.most, self.inner)

    def rest(self) -> int:
        return 0 if self.inner and not self.out else FOREVER


@stepped_model.register(Fork)
class ForkCycles(SteppedModel):
    """rtl.streams.ForkUnit."""

    outputs = 2

    def __init__(self, block: Fork) -> None:
        self.done = [False, False]

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        return [i_valid[0] and not d for d in self.done]

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (all(d or r for d, r in zip(self.done, o_ready, strict=True)),)

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        self.done = [not took[0] and (d or g) for d, g in zip(self.done, gave, strict=True)]


@stepped_model.register(ClassifierOutput)
class ClassifierOutputCycles(SteppedModel):
    """rtl.classifier_output.ClassifierOutputUnit."""

    def __init__(self, block: ClassifierOutput) -> None:
        self.classes, self.score_bytes = block.classes, block.score_bytes
        self.score = self.byte = 0

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        return (i_valid[0] or self.score == self.classes,)

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (o_ready[0] and self.score < self.classes and self.byte == self.score_bytes - 1,)

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        if not gave[0]:
            return
        if self.score == self.classes:
            self.score = 0
        else:
            self.byte += 1
            if self.byte == self.score_bytes:
                self.byte, self.score = 0, self.score + 1
