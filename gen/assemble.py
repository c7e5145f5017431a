# amaranth: UnusedElaboratable=no
"""From layers and their folding to blocks: hardware beside its timing, and how they are wired.

The scheduler runs the timings, the generator instantiates the hardware; both read this one list, so
they cannot disagree about a converter or a FIFO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import wiring

from gen import timing as t
from gen.lower import Layer
from gen.plan import Fold
from gen.schedule import Graph
from model.spec import Add, Conv, Dense, Format, Head, Input, Tensor
from rtl.geometry import Geometry
from rtl.head import Head as HeadUnit
from rtl.layer import Engine, LayerEngine
from rtl.pool import BlockPool
from rtl.stage import Requant
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
class Block:
    """One hardware block. sources: input port by name; outs: output edges."""

    name: str
    hardware: Callable[[], wiring.Component]
    timing: Callable[[], t.Timing]
    sources: dict[str, Edge]
    outs: tuple[Edge, ...]


@dataclass(frozen=True)
class Assembly:
    """All blocks in topological order. layers: by layer name, the edge that carries its values."""

    blocks: tuple[Block, ...]
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


def shape_of(tensor: Tensor) -> Shape:
    """Of one value of `tensor`."""
    return signed(tensor.bits) if tensor.signed else unsigned(tensor.bits)


def geometry(layer: Layer, fold: Fold) -> Geometry:
    """Where the layer's windows stand, folded."""
    place = layer.window
    assert place is not None
    h, w, c = place.source
    return Geometry(
        height=h,
        width=w,
        channels=c,
        kernel=place.kernel,
        stride=place.stride,
        pad=place.pad,
        out=place.out,
        lanes=fold.lanes,
        repeats=1 if layer.depthwise else layer.sums.shape[2] // fold.pe,
        parallel=fold.parallel,
        depthwise=layer.depthwise,
    )


def requant(layer: Layer, fold: Fold) -> Requant | None:
    """The layer's requantiser, or None.

    It clips to the ends of what its output can hold: the proven range never reaches beyond them but
    where the format itself clips, and whole powers of two need no comparison.
    """
    node = layer.requantise
    if node is None:
        return None
    out = Format(layer.out.bits, layer.out.signed)
    return Requant(
        multipliers=node.multiplier.tolist(),
        offsets=node.offset.tolist(),
        shift=node.shift,
        lo=out.lo,
        hi=out.hi,
        out_bits=out.bits,
        out_signed=out.signed,
        multiplier=fold.requant,
    )


def engine(layer: Layer, fold: Fold) -> Engine:
    """The layer engine of a convolution, a fully connected layer or an overlapping pool."""
    op, place, x = layer.op, layer.window, layer.sources[0]
    assert place is not None
    weights, w_bits = None, 0
    if isinstance(op, Conv | Dense):
        channels = 1 if layer.depthwise else place.source[2]
        weights, w_bits = op.weights.reshape(-1, *place.kernel, channels), op.bits
    return Engine(
        kind=layer.kind,
        geometry=geometry(layer, fold),
        weights=weights,
        w_bits=w_bits,
        x_bits=x.bits,
        x_signed=x.signed,
        acc_bits=layer.sum_bits,
        pe=fold.pe,
        drain=fold.drain,
        requant=requant(layer, fold),
        multiplier=fold.multiplier,
        weight_style=fold.weights,
        ring_style=fold.ring,
    )


def block_pool(layer: Layer, fold: Fold) -> BlockPool:
    """The unit of a pooling layer whose windows do not overlap."""
    place = layer.window
    assert place is not None
    h, w, c = place.source
    return BlockPool(
        op="max" if layer.kind == "max" else "sum",
        height=h,
        width=w,
        channels=c,
        kernel=place.kernel,
        lanes=fold.lanes,
        x_shape=shape_of(layer.sources[0]),
        requant=requant(layer, fold),
        style=fold.ring,
    )


def _fifo(edge: Edge, depth: int | None) -> Fifo:
    assert depth is not None, "an unbounded FIFO is for the schedule only"
    return Fifo(shape=edge.shape, lanes=edge.lanes, depth=depth)


class _Builder:
    def __init__(self, layers: tuple[Layer, ...], folds: Mapping[str, Fold]) -> None:
        self.layers, self.folds = layers, folds
        self.blocks: list[Block] = []
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
        self.blocks.append(Block(name, hardware, timing, sources, outs))
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

    def publish(self, layer: Layer, edge: Edge) -> None:
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

    def engine(self, layer: Layer) -> Edge:
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

    def pool(self, layer: Layer) -> Edge:
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

    def join(self, layer: Layer, depths: tuple[int | None, int | None]) -> Edge:
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

    def head(self, layer: Layer) -> int:
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
    layers: tuple[Layer, ...],
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
