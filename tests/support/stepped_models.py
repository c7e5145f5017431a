"""Blocks cycle by cycle, valid and ready of each: the oracle of `gen.engine.cycle_models`.

Slow, and as close to the hardware as the words are; `tests.support.schedule_oracle` runs them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import singledispatch

from rtl.block import BlockDescription
from rtl.classifier_word import ClassifierWord
from rtl.layer import Engine
from rtl.pool import BlockPool
from rtl.streams import Join

FOREVER = 1 << 60


class SteppedModel:
    """One block. In each cycle `offers` and `accepts` are asked, then `tick` moves it on."""

    inputs = 1
    outputs = 1

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        """Valid of each output, given valid of each input."""
        raise NotImplementedError

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        """Ready of each input, given ready of each output."""
        raise NotImplementedError

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        """Ends the cycle: which inputs and outputs moved a word."""
        raise NotImplementedError

    def rest(self) -> int:
        """Cycles for which nothing changes at the ports unless a word moves there."""
        return FOREVER

    def skip(self, cycles: int) -> None:
        """Passes `cycles` ticks without a word at any port, at most `rest()`, at once."""


@singledispatch
def stepped_model(block: BlockDescription) -> SteppedModel:
    """A fresh cycle model of `block`. Raises TypeError for a block that has none."""
    raise TypeError(f"{type(block).__name__}: no cycle model; register one in {__name__}")


class Pipeline(SteppedModel):
    """A pipeline behind rtl.stage.Outlet: it stands still while two words wait at its end.

    Subclasses emit words in `work`, which is called in each cycle in which the pipeline moves.
    """

    def __init__(self, latency: int) -> None:
        self.latency, self.now, self.waiting = latency, 0, 0
        self.pending: deque[int] = deque()

    @property
    def moves(self) -> bool:
        return self.waiting < 2

    def offers(self, i_valid: Sequence[bool]) -> Sequence[bool]:
        return (self.waiting > 0,)

    def emit(self, words: int = 1) -> None:
        """Words that reach the end one a cycle, the first after `latency` moves."""
        self.pending.extend(range(self.now + self.latency, self.now + self.latency + words))

    def work(self, took: bool) -> None:
        raise NotImplementedError

    def rest(self) -> int:
        if not self.moves or not self.pending:
            return FOREVER
        return max(0, self.pending[0] - self.now)

    def skip(self, cycles: int) -> None:
        if self.moves:
            self.now += cycles

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        moves = self.moves
        self.waiting -= gave[0]
        if not moves:
            return
        self.work(took[0])
        if self.pending and self.pending[0] <= self.now:
            self.pending.popleft()
            self.waiting += 1
        self.now += 1


@stepped_model.register
def _(block: Engine) -> SteppedModel:
    return PlainPipeline(block) if block.geometry.in_order else EngineCycles(block)


class PlainPipeline(Pipeline):
    """Takes a word in each cycle in which it moves, and gives one for it."""

    def __init__(self, block: Engine | ClassifierWord) -> None:
        super().__init__(block.latency)

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (self.moves,)

    def work(self, took: bool) -> None:
        if took:
            self.emit()


class EngineCycles(Pipeline):
    """rtl.layer.LayerEngine behind a rtl.window.WindowReader."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.latency)
        g = engine.geometry
        self.slots, self.per_sum = g.slots_per_window, g.slots_per_sum
        self.words = engine.words_per_sum
        self.steps, self.free = g.steps()
        self.slack, self.room = -g.needed(0, 0), g.depth
        self.pixel = self.slot = self.freed = 0

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (self.room > 0,)

    def tick(self, took: Sequence[bool], gave: Sequence[bool], o_ready: Sequence[bool]) -> None:
        freed, self.freed = self.freed, 0
        super().tick(took, gave, o_ready)
        self.slack += took[0]
        self.room += freed - took[0]

    @property
    def issues(self) -> bool:
        return self.slot > 0 or self.slack >= 0

    def work(self, took: bool) -> None:
        if self.issues:
            self._issue()

    def rest(self) -> int:
        if self.freed:
            return 0
        rest = super().rest()
        if self.moves and self.issues:
            rest = min(rest, self.per_sum - 1 - self.slot % self.per_sum)
        return rest

    def skip(self, cycles: int) -> None:
        if self.moves and self.issues:
            self.slot += cycles
        super().skip(cycles)

    def _issue(self) -> None:
        self.slot += 1
        if self.slot % self.per_sum == 0:
            self.emit(self.words)
        if self.slot == self.slots:
            self.slot = 0
            self.slack -= self.steps[self.pixel]
            self.freed = self.free[self.pixel]
            self.pixel = (self.pixel + 1) % len(self.steps)


@stepped_model.register(BlockPool)
class PoolCycles(Pipeline):
    """rtl.pool.BlockPoolUnit."""

    def __init__(self, pool: BlockPool) -> None:
        super().__init__(pool.latency)
        kh, kw = pool.kernel
        rows, columns = pool.height - pool.height % kh, pool.width - pool.width % kw
        self.ends = [
            y < rows and x < columns and y % kh == kh - 1 and x % kw == kw - 1
            for y in range(pool.height)
            for x in range(pool.width)
            for _ in range(pool.channels // pool.lanes)
        ]
        self.at = 0

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return (self.moves,)

    def work(self, took: bool) -> None:
        if took:
            if self.ends[self.at]:
                self.emit()
            self.at = (self.at + 1) % len(self.ends)


@stepped_model.register
def _(block: ClassifierWord) -> SteppedModel:
    return PlainPipeline(block)


@stepped_model.register(Join)
class JoinCycles(Pipeline):
    """rtl.streams.JoinUnit."""

    inputs = 2

    def __init__(self, block: Join) -> None:
        super().__init__(block.latency)

    def accepts(self, i_valid: Sequence[bool], o_ready: Sequence[bool]) -> Sequence[bool]:
        return self.moves and i_valid[1], self.moves and i_valid[0]

    def work(self, took: bool) -> None:
        if took:
            self.emit()
