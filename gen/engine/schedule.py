"""Exact cycles of an accelerator before it is built.

`run` moves words (without their values) through the cycle models of all components, see
`gen.engine.cycle_models`, from a source that always has a word to a sink that always takes one.
FIFO depths are found from the same run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from gen.engine.cycle_models import CycleModel, Port


@dataclass
class ScheduledBlock:
    """A component and the edges at its ports, by index."""

    name: str
    model: CycleModel
    sources: list[int]
    outs: list[int]


@dataclass
class Graph:
    """Components in topological order. Edge 0 comes from the pins, the last one goes there."""

    placed: list[ScheduledBlock] = field(default_factory=list)
    edges: int = 1

    def add(self, name: str, model: CycleModel, *sources: int) -> list[int]:
        """Adds a component that reads the edges `sources`; returns its output edges."""
        outs = list(range(self.edges, self.edges + model.outputs))
        self.edges += model.outputs
        self.placed.append(ScheduledBlock(name, model, list(sources), outs))
        return outs


@dataclass(frozen=True)
class Cycles:
    """Cycles of an image.

    latency: from the transfer of its first word to that of its answer's last, on an idle
    accelerator. interval: between the ends of successive images when they come without a gap.
    ran: those of the whole run that found them.
    """

    latency: int
    interval: int
    ran: int = field(default=0, compare=False)


class Stuck(RuntimeError):
    """No word moves any more: a FIFO is too small."""


class Source(CycleModel):
    """The pins in front: `words` of them without a gap, none from cycle `until` on."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words, self.next = words, 0
        self.until: int | None = None

    def run(self) -> None:
        while self.words and (self.until is None or self.next < self.until):
            left = self.outs[0].take(self.next)
            if left is None:
                return
            self.words, self.next = self.words - 1, left + 1


class Sink:
    """The pins behind, always ready. ends: cycles until the last of an image's `words` left.

    It has enough after `images`, or once two successive intervals are equal.
    """

    def __init__(self, words: int, images: int) -> None:
        self.words, self.images, self.came = words, images, 0
        self.ends: list[int] = []
        self.enough = False

    def take(self, valid: int) -> int | None:
        """See `gen.engine.cycle_models.Port`."""
        self.came += 1
        if self.came % self.words == 0 and not self.enough:
            self.ends.append(valid + 1)
            gaps = [b - a for a, b in pairwise(self.ends)]
            steady = len(gaps) >= 3 and gaps[-1] == gaps[-2]
            self.enough = steady or len(self.ends) == self.images
        return valid


class Worklist:
    """Models that are to run, in the order in which they asked for it."""

    def __init__(self) -> None:
        self.models: deque[CycleModel] = deque()
        self.asked: set[int] = set()

    def adder(self, model: CycleModel) -> Callable[[], None]:
        """Puts `model` at the end, unless it is there."""
        models, asked, key = self.models, self.asked, id(model)

        def add() -> None:
            if key not in asked:
                asked.add(key)
                models.append(model)

        return add

    def run(self, enough: Callable[[], bool]) -> None:
        """Runs models until there are none, or it is enough."""
        while self.models and not enough():
            model = self.models.popleft()
            self.asked.discard(id(model))
            model.run()


def run(
    graph: Graph, *, words_in: int, words_out: int, images: int = 8, complete: bool = False
) -> Cycles:
    """Runs until two successive intervals are equal, at most `images` images.

    words_in, words_out: of an image and of its answer. complete: until everything that happens in
    these cycles is known, also of images whose answers come later. Raises Stuck when no word can
    ever move again.
    """
    source, sink, work = Source(images * words_in), Sink(words_out, images), Worklist()
    _connect(graph, source, sink, work)
    source.later()
    work.run(lambda: sink.enough)
    ends = sink.ends
    if not sink.enough:
        raise Stuck(f"nothing moves after cycle {ends[-1] if ends else 0}")
    if complete:
        source.until = ends[-1]
        work.run(lambda: False)
    interval = ends[-1] - ends[-2] if len(ends) > 1 else ends[0]
    return Cycles(ends[0] - 1, interval, ends[-1])


def _connect(graph: Graph, source: Source, sink: Sink, work: Worklist) -> None:
    """Gives each model its receivers, and its receivers a way to wake it."""
    receivers: dict[int, Port] = {graph.edges - 1: sink}
    givers: dict[int, CycleModel] = {0: source}
    for p in graph.placed:
        receivers |= dict(zip(p.sources, p.model.ports, strict=True))
        givers |= dict.fromkeys(p.outs, p.model)
        p.model.wake = [givers[edge].woken for edge in p.sources]
        p.model.later = work.adder(p.model)
    for p in graph.placed:
        p.model.outs = [receivers[edge] for edge in p.outs]
    source.outs, source.later = [receivers[0]], work.adder(source)
