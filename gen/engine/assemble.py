"""From layers and their folding to blocks, as descriptions, and how they are wired.

The scheduler runs the cycle models of these blocks, the generator creates their hardware; both read
this one list, so they cannot disagree about a converter or a FIFO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from amaranth.hdl import Shape

from gen.engine import stream_cycles  # noqa: F401 - registers its cycle models
from gen.engine.cycle_models import CycleModel, cycle_model
from gen.engine.schedule import Graph
from gen.engine.units import block_pool, engine, requant, shape_of
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold
from model.spec import Add, Head, Input
from rtl.block import BlockDescription
from rtl.classifier_output import ClassifierOutput
from rtl.classifier_word import ClassifierWord
from rtl.streams import Fifo, Fork, Join, Narrow, converters


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
    """A block in its place. sources: input port by name; outs: output edges."""

    name: str
    description: BlockDescription
    sources: dict[str, Edge]
    outs: tuple[Edge, ...]


@dataclass(frozen=True)
class Assembly:
    """All blocks in topological order. layers: by layer name, the edge that carries its values.
    fifos: names of the blocks by join and side, "a" or "b". bytes_in, bytes_out: of an image and of
    its answer. word_in, word_out: bytes of a word at the ports."""

    blocks: tuple[HardwareBlock, ...]
    layers: dict[str, Edge]
    fifos: dict[tuple[str, str], str]
    bytes_in: int
    bytes_out: int
    word_in: int
    word_out: int

    def graph(self) -> tuple[Graph, dict[str, CycleModel]]:
        """Cycle models for the scheduler, and each of them by block name."""
        graph, models = Graph(), {}
        for block in self.blocks:
            model = models[block.name] = cycle_model(block.description)
            graph.add(block.name, model, *(e.index for e in block.sources.values()))
        return graph, models


class _Builder:
    def __init__(self, layers: tuple[LoweredLayer, ...], folds: Mapping[str, Fold]) -> None:
        self.layers, self.folds = layers, folds
        self.blocks: list[HardwareBlock] = []
        self.edges = 1
        self.carries: dict[str, Edge] = {}
        self.taps: dict[str, Iterator[Edge]] = {}
        self.fifos: dict[tuple[str, str], str] = {}
        self.names = {layer.name for layer in layers}

    def unique(self, name: str) -> str:
        """A name for a block beside the layers, whose names may be anything."""
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def add(self, name: str, block: BlockDescription, *sources: Edge) -> tuple[Edge, ...]:
        """Puts a block behind the edges `sources`, in the order of its inputs."""
        outs = tuple(
            Edge(name, port, self.edges + k, words.lanes, words.shape)
            for k, (port, words) in enumerate(block.outputs.items())
        )
        self.edges += len(outs)
        inputs = dict(zip(block.inputs, sources, strict=True))
        self.blocks.append(HardwareBlock(name, block, inputs, outs))
        return outs

    def convert(self, edge: Edge, lanes: int, name: str) -> Edge:
        """`edge` in words of `lanes` elements."""
        for k, block in enumerate(converters(edge.shape, edge.lanes, lanes)):
            way = "narrow" if isinstance(block, Narrow) else "widen"
            (edge,) = self.add(self.unique(f"{name}_{way}{k}"), block, edge)
        return edge

    def publish(self, layer: LoweredLayer, edge: Edge) -> None:
        """Gives an edge to all readers of the layer, with a fork for each one beyond the first."""
        self.carries[layer.name] = edge
        readers = sum(other.inputs.count(layer.name) for other in self.layers)
        ends: list[Edge] = []
        for k in range(readers - 1):
            fork = Fork(shape=edge.shape, lanes=edge.lanes)
            end, edge = self.add(self.unique(f"{layer.name}_fork{k}"), fork, edge)
            ends.append(end)
        self.taps[layer.name] = iter([*ends, edge])

    def take(self, name: str) -> Edge:
        return next(self.taps[name])

    def windowed(self, layer: LoweredLayer) -> Edge:
        """An engine, or a pool whose windows do not overlap."""
        fold = self.folds[layer.name]
        source = self.convert(self.take(layer.inputs[0]), fold.lanes, layer.name)
        folded = layer.blocks and fold.weights != "wired"
        block = block_pool(layer, fold) if folded else engine(layer, fold)
        return self.add(layer.name, block, source)[0]

    def join(self, layer: LoweredLayer, depths: tuple[int | None, int | None]) -> Edge:
        fold, op = self.folds[layer.name], layer.op
        assert isinstance(op, Add)
        sides: list[Edge] = []
        for side, name, depth in zip("ab", layer.inputs, depths, strict=True):
            edge = self.convert(self.take(name), fold.lanes, f"{layer.name}_{side}")
            if depth != 0:
                fifo = Fifo(shape=edge.shape, lanes=edge.lanes, depth=depth)
                called = self.fifos[layer.name, side] = self.unique(f"{layer.name}_fifo_{side}")
                (edge,) = self.add(called, fifo, edge)
            sides.append(edge)
        rescale = requant(layer, fold)
        assert rescale is not None
        block = Join(
            shapes=(sides[0].shape, sides[1].shape),
            shifts=op.shifts,
            lanes=fold.lanes,
            acc_bits=layer.sum_bits,
            requant=rescale,
        )
        return self.add(layer.name, block, *sides)[0]

    def head(self, layer: LoweredLayer) -> tuple[int, int]:
        """Puts the end of a classifier; the bytes that it sends an image, and those of a word."""
        lanes, classes = self.folds[layer.name].lanes, layer.out.shape[2]
        scores = self.convert(self.take(layer.inputs[0]), lanes, layer.name)
        if lanes == 1:
            serial = ClassifierOutput(classes=classes, score_shape=scores.shape)
            self.add(layer.name, serial, scores)
            return serial.frame_bytes, 1
        block = ClassifierWord(classes=classes, score_shape=scores.shape)
        self.add(layer.name, block, scores)
        return block.frame_bytes, block.frame_bytes


def assemble(
    layers: tuple[LoweredLayer, ...],
    folds: Mapping[str, Fold],
    fifos: Mapping[str, tuple[int | None, int | None]],
) -> Assembly:
    """Blocks of all layers. fifos: depths at each join's inputs, 0 for none, None for unbounded."""
    build = _Builder(layers, folds)
    bytes_in = bytes_out = 0
    word_in = word_out = 1
    for layer in layers:
        match layer.op:
            case Input(shape=(h, w, c)):
                bytes_in, word_in = h * w * c, folds[layer.name].lanes
                build.publish(layer, Edge("", "", 0, word_in, shape_of(layer.out)))
            case Head():
                bytes_out, word_out = build.head(layer)
            case Add():
                build.publish(layer, build.join(layer, fifos.get(layer.name, (None, None))))
            case _:
                build.publish(layer, build.windowed(layer))
    blocks = tuple(build.blocks)
    return Assembly(blocks, build.carries, build.fifos, bytes_in, bytes_out, word_in, word_out)
