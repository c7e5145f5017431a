"""Cycle models of blocks that only move words: converters, FIFO, fork, and the classifier's end."""

from __future__ import annotations

from bisect import bisect_right

from gen.engine.cycle_models import CycleModel, Port, cycle_model
from rtl.classifier_output import ClassifierOutput
from rtl.streams import Fifo, Fork, Narrow, Widen


class Giver(CycleModel):
    """A block that gives one word after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.left = -1
        """Cycle in which the last word left."""

    @property
    def ports(self) -> list[Port]:
        return [self]  # type: ignore[list-item]

    def run(self) -> None:
        """Everything happens as words come, or as they can leave."""

    def flush(self) -> bool:
        """Gives all words that it has; False while it is not known when they leave."""
        raise NotImplementedError

    def woken(self) -> None:
        self.flush()
        self.wake[0]()


@cycle_model.register(Widen)
class WidenCycles(Giver):
    """rtl.streams.WidenUnit."""

    def __init__(self, block: Widen) -> None:
        super().__init__()
        self.factor, self.count = block.factor, 0
        self.full: int | None = None
        """From when on the word is complete, where it is not known when it leaves."""

    def take(self, valid: int) -> int | None:
        """See `Port`: the first part of a word may come as the one before leaves."""
        if self.full is not None and not self.flush():
            return None
        moves = max(valid, self.left) if self.count == 0 else valid
        self.count += 1
        if self.count == self.factor:
            self.count, self.full = 0, moves + 1
            self.flush()
        return moves

    def flush(self) -> bool:
        if self.full is not None:
            left = self.outs[0].take(self.full)
            if left is None:
                return False
            self.left, self.full = left, None
        return True


@cycle_model.register(Narrow)
class NarrowCycles(Giver):
    """rtl.streams.NarrowUnit."""

    def __init__(self, block: Narrow) -> None:
        super().__init__()
        self.factor, self.parts, self.valid = block.factor, 0, 0

    def take(self, valid: int) -> int | None:
        """See `Port`: a word may come as the last part of the one before leaves."""
        if not self.flush():
            return None
        moves = max(valid, self.left)
        self.parts, self.valid = self.factor, moves + 1
        self.flush()
        return moves

    def flush(self) -> bool:
        while self.parts:
            left = self.outs[0].take(self.valid)
            if left is None:
                return False
            self.left, self.valid = left, left + 1
            self.parts -= 1
        return True


@cycle_model.register(Fifo)
class FifoCycles(Giver):
    """rtl.streams.FifoUnit: a word shows at the output two cycles after it came.

    A run with unbounded FIFOs (depth None) tells in `needed` the depth at which they had never
    refused a word.
    """

    def __init__(self, block: Fifo) -> None:
        super().__init__()
        self.depth = block.depth
        self.came: list[int] = []
        self.moved: list[int] = []
        """Cycles in which words moved on to the output register."""
        self.shows: int | None = None

    def needed(self, until: int) -> int:
        """Most words of a run of `until` cycles, and two."""
        inner = (
            k + 1 - bisect_right(self.moved, at) for k, at in enumerate(self.came) if at < until
        )
        return max(inner, default=0) + 2

    def take(self, valid: int) -> int | None:
        """See `Port`: there is room, or there will be."""
        if self.depth is not None and (before := len(self.came) - self.depth + 1) >= 0:
            if before >= len(self.moved):
                return None
            valid = max(valid, self.moved[before] + 1)
        self.came.append(valid)
        self.flush()
        return valid

    def flush(self) -> bool:
        while True:
            if self.shows is not None:
                left = self.outs[0].take(self.shows)
                if left is None:
                    return False
                self.left, self.shows = left, None
            if len(self.moved) == len(self.came):
                return True
            self.moved.append(max(self.came[len(self.moved)] + 1, self.left))
            self.shows = self.moved[-1] + 1


@cycle_model.register(Fork)
class ForkCycles(Giver):
    """rtl.streams.ForkUnit."""

    outputs = 2

    def __init__(self, block: Fork) -> None:
        super().__init__()
        self.done: list[int | None] = [None, None]

    def take(self, valid: int) -> int | None:
        """See `Port`: the word leaves once both receivers have taken it."""
        for k, out in enumerate(self.outs):
            if self.done[k] is None:
                self.done[k] = out.take(valid)
        a, b = self.done
        if a is None or b is None:
            return None
        self.done = [None, None]
        return max(a, b)

    def flush(self) -> bool:
        return True


@cycle_model.register(ClassifierOutput)
class ClassifierOutputCycles(Giver):
    """rtl.classifier_output.ClassifierOutputUnit, whose receiver is always ready."""

    def __init__(self, block: ClassifierOutput) -> None:
        super().__init__()
        self.classes, self.score_bytes = block.classes, block.score_bytes
        self.score = 0

    def take(self, valid: int) -> int | None:
        """See `Port`: a score moves with its last byte."""
        for _ in range(self.score_bytes):
            self._send(max(valid, self.left + 1))
        moves, self.score = self.left, self.score + 1
        if self.score == self.classes:
            self.score = 0
            self._send(moves + 1)
        return moves

    def _send(self, at: int) -> None:
        left = self.outs[0].take(at)
        assert left == at
        self.left = at

    def flush(self) -> bool:
        return True
