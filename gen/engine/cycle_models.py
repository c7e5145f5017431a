"""The cycle model of each block, found from its description: when it takes and gives each word.

A model is told when its next input word is valid and answers in which cycle that word moves, or
None while that hangs on something not yet known. So each block is followed word by word on its own,
as far as its neighbours are known, and cycles in which nothing happens cost nothing.
`gen.engine.schedule` runs them; models of the blocks that move words but keep no pipeline are in
`gen.engine.stream_cycles`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import singledispatch
from itertools import accumulate
from typing import Protocol

from rtl.block import BlockDescription
from rtl.classifier_word import ClassifierWord
from rtl.layer import Engine
from rtl.pool import BlockPool
from rtl.streams import Join


class Port(Protocol):
    """The receiving end of a stream."""

    def take(self, valid: int) -> int | None:
        """The cycle in which the next word moves, if it is valid from cycle `valid` on.

        None while that is not known: then nothing has changed, and the giver asks again, with the
        same `valid`, once it is woken.
        """


class CycleModel:
    """One block between streams.

    wake: one function an input, which tells the giver there that a word may move now that could not
    before. later: asks for `run` to be called.
    """

    inputs = 1
    outputs = 1

    def __init__(self) -> None:
        self.outs: list[Port] = []
        self.wake: list[Callable[[], None]] = []
        self.later: Callable[[], None] = lambda: None

    @property
    def ports(self) -> list[Port]:
        """One an input."""
        raise NotImplementedError

    def run(self) -> None:
        """Goes on as far as is known."""
        raise NotImplementedError

    def woken(self) -> None:
        """A receiver can take a word."""
        self.later()


@singledispatch
def cycle_model(block: BlockDescription) -> CycleModel:
    """A fresh cycle model of `block`. Raises TypeError for a block that has none."""
    raise TypeError(f"{type(block).__name__}: no cycle model; register one in {__name__}")


class Pipeline(CycleModel):
    """A pipeline behind rtl.stage.Outlet: it stands still while two words wait at its end.

    Its front and its end are followed apart, as what happens at the front shows at the end only
    `latency` moves later. Moves are counted without the cycles in which it stood still.
    """

    def __init__(self, latency: int) -> None:
        super().__init__()
        self.latency = latency
        self.pending: deque[int] = deque()
        """Moves at which words reach the end."""
        self.stalls: deque[tuple[int, int]] = deque()
        """The last cycle before it stood still, for how many; those the front has yet to see."""
        self.stood_end = self.stood_front = 0
        self.left = -1
        """Cycle in which the last word left."""
        self.waits: int | None = None
        """From when on the next word is valid, where it is not known when it leaves."""

    def emit(self, move: int, words: int = 1) -> None:
        """Words that reach the end one a move, the first `latency` after `move`."""
        self.pending.extend(range(move + self.latency, move + self.latency + words))

    def give(self) -> None:
        """Gives words away until it is not known when one leaves."""
        take, pending = self.outs[0].take, self.pending
        while True:
            if self.waits is not None:
                left = take(self.waits)
                if left is None:
                    return
                self.left, self.waits = left, None
            if not pending:
                return
            end = pending.popleft() + self.stood_end
            if self.left > end:
                self.stalls.append((end, self.left - end))
                self.stood_end += self.left - end
                end = self.left
            self.waits = end + 1

    def cycle(self, move: int, earliest: int) -> int | None:
        """The cycle of the front's `move`, or of a later move not before `earliest`."""
        while True:
            at = max(move + self.stood_front, earliest)
            if not self.stalls or self.stalls[0][0] >= at:
                break
            end, cycles = self.stalls.popleft()
            self.stood_front += cycles
            earliest = max(earliest, end + cycles + 1)
        if self.pending and self.pending[0] + self.stood_end < at:
            return None
        return at


class EngineCycles(Pipeline):
    """rtl.layer.LayerEngine behind a rtl.window.WindowReader."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.latency)
        g = engine.geometry
        self.slots, self.per_sum = g.slots_per_window, g.slots_per_sum
        self.words, self.image = engine.words_per_sum, g.image
        steps, self.frees = g.steps()
        self.needed = list(accumulate(steps[:-1], initial=g.needed(0, 0)))
        self.room, self.room_from = g.depth, 0
        self.freed: deque[tuple[int, int]] = deque()
        self.came: list[int] = []
        """Cycles in which words were taken; those of images that have been read are dropped."""
        self.start = self.window = self.free_from = 0
        self.frees_at: int | None = None

    @property
    def ports(self) -> list[Port]:
        return [self]

    def take(self, valid: int) -> int | None:
        """See `Port`: there is room, or there will be."""
        if not self.room:
            if not self.freed:
                return None
            self.room_from, self.room = self.freed.popleft()
        self.room -= 1
        moves = max(valid, self.room_from)
        self.came.append(moves)
        if len(self.came) >= self.start + self.needed[self.window]:
            self.later()
        return moves

    def run(self) -> None:
        self.give()
        while self._free() and self._issue():
            self.give()

    def _issue(self) -> bool:
        """Reads the next window once all of its words have come."""
        needed = self.start + self.needed[self.window]
        if len(self.came) < needed:
            return False
        at = self.cycle(self.free_from, self.came[needed - 1] + 1)
        if at is None:
            return False
        first = at - self.stood_front
        self.free_from = first + self.slots
        for end in range(first + self.per_sum - 1, self.free_from, self.per_sum):
            self.emit(end, self.words)
        self.frees_at = self.frees[self.window]
        self.window += 1
        if self.window == len(self.needed):
            self.window = 0
            self.start += self.image
            dropped = min(self.start, len(self.came))
            del self.came[:dropped]
            self.start -= dropped
        return True

    def _free(self) -> bool:
        """Makes room for further words once the last window has been read."""
        if self.frees_at:
            at = self.cycle(self.free_from - 1, 0)
            if at is None:
                return False
            self.freed.append((at + 2, self.frees_at))
            self.wake[0]()
        self.frees_at = None
        return True


class PlainPipeline(Pipeline):
    """A pipeline that takes a word in each cycle in which it moves."""

    @property
    def ports(self) -> list[Port]:
        return [self]

    def gives(self) -> bool:
        """The word that is taken now finishes one; asked once a word, in order."""
        return True

    def take(self, valid: int) -> int | None:
        """See `Port`: in the next cycle in which the pipeline moves."""
        self.give()
        moves = self.cycle(0, valid)
        if moves is not None and self.gives():
            self.emit(moves - self.stood_front)
            self.give()
        return moves

    def run(self) -> None:
        self.give()
        self.wake[0]()


@cycle_model.register
def _(block: ClassifierWord) -> CycleModel:
    return PlainPipeline(block.latency)


@cycle_model.register
def _(block: Engine) -> CycleModel:
    """Behind a rtl.direct.DirectReader each word is a window."""
    return PlainPipeline(block.latency) if block.geometry.in_order else EngineCycles(block)


@cycle_model.register(BlockPool)
class PoolCycles(PlainPipeline):
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
        self.at = -1

    def gives(self) -> bool:
        self.at = (self.at + 1) % len(self.ends)
        return self.ends[self.at]


class JoinSide:
    """One input of a join: from when on its word is valid, and when it was taken."""

    def __init__(self, join: JoinCycles) -> None:
        self.join = join
        self.valid: int | None = None
        self.taken: int | None = None

    def take(self, valid: int) -> int | None:
        """See `Port`: once both sides have a word."""
        if self.taken is None:
            self.valid = valid
            self.join.meet()
        taken, self.taken = self.taken, None
        return taken


@cycle_model.register(Join)
class JoinCycles(Pipeline):
    """rtl.streams.JoinUnit."""

    inputs = 2

    def __init__(self, block: Join) -> None:
        super().__init__(block.latency)
        self.sides = (JoinSide(self), JoinSide(self))

    @property
    def ports(self) -> list[Port]:
        return list(self.sides)

    def meet(self) -> None:
        """Takes a word of each side, if both are there and it is known when."""
        a, b = self.sides
        if a.valid is None or b.valid is None:
            return
        self.give()
        moves = self.cycle(0, max(a.valid, b.valid))
        if moves is None:
            return
        a.taken = b.taken = moves
        a.valid = b.valid = None
        self.emit(moves - self.stood_front)
        self.later()

    def run(self) -> None:
        self.give()
        for wake in self.wake:
            wake()
