"""The schedule, cycle by cycle over all blocks at once: the oracle of `gen.engine.schedule`."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from gen.engine.assemble import Assembly
from gen.engine.schedule import Cycles, Stuck
from tests.support import stepped_streams
from tests.support.stepped_models import FOREVER, SteppedModel, stepped_model

assert stepped_streams  # registers its models


@dataclass
class SteppedBlock:
    """A component and the edges at its ports, by index."""

    name: str
    model: SteppedModel
    sources: list[int]
    outs: list[int]


@dataclass
class SteppedGraph:
    """Components in topological order. Edge 0 comes from the pins."""

    placed: list[SteppedBlock] = field(default_factory=list)
    edges: int = 1

    def add(self, name: str, model: SteppedModel, *sources: int) -> None:
        """Adds a component that reads the edges `sources`."""
        outs = list(range(self.edges, self.edges + model.outputs))
        self.edges += model.outputs
        self.placed.append(SteppedBlock(name, model, list(sources), outs))


def stepped(assembly: Assembly) -> tuple[SteppedGraph, dict[str, SteppedModel]]:
    """Models of all blocks, and each of them by block name."""
    graph, models = SteppedGraph(), {}
    for block in assembly.blocks:
        model = models[block.name] = stepped_model(block.description)
        graph.add(block.name, model, *(e.index for e in block.sources.values()))
    return graph, models


def run(graph: SteppedGraph, *, words_in: int, words_out: int, images: int = 8) -> Cycles:
    """Runs until two successive intervals are equal, at most `images` images.

    The last edge goes to the pins. Cycles in which no word can move are passed over at once. Raises
    Stuck when no word can ever move again.
    """
    valid, ready = [False] * graph.edges, [False] * graph.edges
    last = graph.edges - 1
    ready[last] = True
    steps = [(p.model, tuple(p.sources), tuple(p.outs)) for p in graph.placed]
    back = steps[::-1]
    moved = [False] * graph.edges
    ends: list[int] = []
    cycle = came = went = 0
    limit = images * words_in
    while len(ends) < images:
        valid[0] = came < limit
        for model, sources, outs in steps:
            for edge, on in zip(outs, model.offers([valid[s] for s in sources]), strict=True):
                valid[edge] = on
        for model, sources, outs in back:
            answer = model.accepts([valid[s] for s in sources], [ready[o] for o in outs])
            for edge, on in zip(sources, answer, strict=True):
                ready[edge] = on
        for e in range(graph.edges):
            moved[e] = valid[e] and ready[e]
        if not any(moved):
            cycle += _skip(graph, cycle)
        for model, sources, outs in steps:
            model.tick(
                [moved[s] for s in sources], [moved[o] for o in outs], [ready[o] for o in outs]
            )
        came += moved[0]
        cycle += 1
        if moved[last]:
            went += 1
            if went % words_out == 0:
                ends.append(cycle)
                gaps = [b - a for a, b in pairwise(ends)]
                if len(gaps) >= 3 and gaps[-1] == gaps[-2]:
                    break
    interval = ends[-1] - ends[-2] if len(ends) > 1 else ends[0]
    return Cycles(ends[0] - 1, interval)


def _skip(graph: SteppedGraph, cycle: int) -> int:
    """Lets all components pass as many cycles as none of them can change anything in."""
    rest = min(p.model.rest() for p in graph.placed)
    if rest >= FOREVER:
        raise Stuck(f"nothing moves after cycle {cycle}")
    for p in graph.placed:
        p.model.skip(rest)
    return rest
