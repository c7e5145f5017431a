# amaranth: UnusedElaboratable=no
"""From layers and their folding to blocks: hardware beside its timing, and how they are wired.

The scheduler runs the timings, the generator instantiates the hardware; both read this one list, so
they cannot disagree about a converter or a FIFO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from amaranth.hdl import Shape, unsigned
from amaranth.lib import wiring

from gen.engine import cycle_models as t
from gen.engine.schedule import Graph
from gen.engine.units import block_pool, engine, requant, shape_of
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold
from model.spec import Add, Head, Input
from rtl.classifier_output import ClassifierOutput as HeadUnit
from rtl.layer import LayerEngine
from rtl.streams import Fifo, Fork, Join, Widen, converters


@dataclass(frozen=True)
class Edge:
    """A stream between two blocks: who gives it, from which port, and its words."""

    block: str
    port: str
    index: int
    lanes: int
    shape: Shape


@dataclass(frozen=True)
class HardwareBlock:
    """One hardware block. sources: input port by name; outs: output edges."""

    name: str
    hardware: Callable[[], wiring.Component]
    timing: Callable[[], t.Timing]
    sources: dict[str, Edge]
    outs: tuple[Edge, ...]


@dataclass(frozen=True)
class Assembly:
    """All blocks in topological order. layers: by layer name, the edge that carries its values."""

    blocks: tuple[HardwareBlock, ...]
    layers: dict[str, Edge]
    bytes_in: int
    bytes_out: int

    def graph(self) -> tuple[Graph, dict[str, t.Timing]]:
        """Timings for the scheduler, and each of them by block name."""
        graph, timings = Graph(), {}
        for block in self.blocks:
            timing = timings[block.name] = block.timing()
            graph.add(block.name, timing, *(e.index for e in block.sources.values()))
        return graph, timings


def _fifo(edge: Edge, depth: int | None) -> Fifo:
    assert depth is not None, "an unbounded FIFO is for the schedule only"
    return Fifo(shape=edge.shape, lanes=edge.lanes, depth=depth)


class _Builder:
    def __init__(self, layers: tuple[LoweredLayer, ...], folds: Mapping[str, Fold]) -> None:
        self.layers, self.folds = layers, folds
        self.blocks: list[HardwareBlock] = []
        self.edges = 1
        self.carries: dict[str, Edge] = {}
        self.taps: dict[str, Iterator[Edge]] = {}

    def add(
        self,
        name: str,
        hardware: Callable[[], wiring.Component],
        timing: Callable[[], t.Timing],
        sources: dict[str, Edge],
        lanes: int,
        shape: Shape,
        ports: tuple[str, ...] = ("o",),
    ) -> tuple[Edge, ...]:
        outs = tuple(Edge(name, port, self.edges + k, lanes, shape) for k, port in enumerate(ports))
        self.edges += len(outs)
        self.blocks.append(HardwareBlock(name, hardware, timing, sources, outs))
        return outs

    def convert(self, edge: Edge, lanes: int, name: str) -> Edge:
        """`edge` in words of `lanes` elements."""
        for k, unit in enumerate(converters(edge.shape, edge.lanes, lanes)):
            wide = isinstance(unit, Widen)
            (edge,) = self.add(
                f"{name}_{'widen' if wide else 'narrow'}{k}",
                partial(type(unit), shape=edge.shape, lanes=unit.lanes, factor=unit.factor),
                partial(t.WidenTiming if wide else t.NarrowTiming, unit.factor),
                {"i": edge},
                unit.lanes * unit.factor if wide else unit.lanes,
                edge.shape,
            )
        return edge

    def publish(self, layer: LoweredLayer, edge: Edge) -> None:
        """Gives an edge to all readers of the layer, with a fork for each one beyond the first."""
        self.carries[layer.name] = edge
        readers = sum(other.inputs.count(layer.name) for other in self.layers)
        ends: list[Edge] = []
        for k in range(readers - 1):
            a, edge = self.add(
                f"{layer.name}_fork{k}",
                partial(Fork, shape=edge.shape, lanes=edge.lanes),
                t.ForkTiming,
                {"i": edge},
                edge.lanes,
                edge.shape,
                ("o_a", "o_b"),
            )
            ends.append(a)
        self.taps[layer.name] = iter([*ends, edge])

    def take(self, name: str) -> Edge:
        return next(self.taps[name])

    def engine(self, layer: LoweredLayer) -> Edge:
        fold = self.folds[layer.name]
        what = engine(layer, fold)
        source = self.convert(self.take(layer.inputs[0]), fold.lanes, layer.name)
        return self.add(
            layer.name,
            lambda: LayerEngine(what),
            lambda: t.EngineTiming(what),
            {"i": source},
            fold.drain,
            shape_of(layer.out),
        )[0]

    def pool(self, layer: LoweredLayer) -> Edge:
        fold = self.folds[layer.name]
        source = self.convert(self.take(layer.inputs[0]), fold.lanes, layer.name)
        unit = block_pool(layer, fold)
        return self.add(
            layer.name,
            lambda: unit,
            lambda: t.PoolTiming(unit),
            {"i": source},
            fold.lanes,
            shape_of(layer.out),
        )[0]

    def join(self, layer: LoweredLayer, depths: tuple[int | None, int | None]) -> Edge:
        fold, op = self.folds[layer.name], layer.op
        assert isinstance(op, Add)
        sides: list[Edge] = []
        for k, (name, depth) in enumerate(zip(layer.inputs, depths, strict=True)):
            edge = self.convert(self.take(name), fold.lanes, f"{layer.name}_{'ab'[k]}")
            if depth != 0:
                (edge,) = self.add(
                    f"{layer.name}_fifo_{'ab'[k]}",
                    partial(_fifo, edge, depth),
                    partial(t.FifoTiming, depth),
                    {"i": edge},
                    edge.lanes,
                    edge.shape,
                )
            sides.append(edge)
        rescale = requant(layer, fold)
        assert rescale is not None
        unit = Join(
            shapes=(sides[0].shape, sides[1].shape),
            shifts=op.shifts,
            lanes=fold.lanes,
            acc_bits=layer.sum_bits,
            requant=rescale,
        )
        return self.add(
            layer.name,
            lambda: unit,
            lambda: t.JoinTiming(unit.latency),
            {"i_a": sides[0], "i_b": sides[1]},
            fold.lanes,
            shape_of(layer.out),
        )[0]

    def head(self, layer: LoweredLayer) -> int:
        scores = self.convert(self.take(layer.inputs[0]), 1, layer.name)
        unit = HeadUnit(classes=layer.out.shape[2], score_shape=scores.shape)
        self.add(
            layer.name,
            lambda: unit,
            lambda: t.HeadTiming(unit.classes, unit.score_bytes),
            {"i": scores},
            1,
            unsigned(8),
        )
        return unit.classes * unit.score_bytes + 1


def assemble(
    layers: tuple[LoweredLayer, ...],
    folds: Mapping[str, Fold],
    fifos: Mapping[str, tuple[int | None, int | None]],
) -> Assembly:
    """Blocks of all layers. fifos: depths at each join's inputs, 0 for none, None for unbounded."""
    build = _Builder(layers, folds)
    bytes_in = bytes_out = 0
    for layer in layers:
        match layer.op:
            case Input(shape=(h, w, c)):
                bytes_in = h * w * c
                build.publish(layer, Edge("", "", 0, 1, shape_of(layer.out)))
            case Head():
                bytes_out = build.head(layer)
            case Add():
                build.publish(layer, build.join(layer, fifos.get(layer.name, (None, None))))
            case _ if layer.blocks:
                build.publish(layer, build.pool(layer))
            case _:
                build.publish(layer, build.engine(layer))
    return Assembly(tuple(build.blocks), build.carries, bytes_in, bytes_out)
