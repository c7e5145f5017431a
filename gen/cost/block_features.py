"""The counted features of one block, found from its description.

The planner counts all foldings of a layer at once, in arrays (gen.cost.features); this is the same
counting for a block that is already chosen.
"""

from __future__ import annotations

from functools import singledispatch

from gen.cost.engine_features import around
from gen.cost.engine_features import engine as engine_features
from gen.cost.features import (
    Features,
    converter_features,
    join_features,
    output_features,
    pool_features,
    whole,
    word_output_features,
)
from gen.cost.fifo_features import fifo_features, fork_features
from gen.cost.requant_features import unit_features
from gen.cost.wired_features import graph_features
from gen.plan.fold_array import FeatureCounts, FoldArray
from gen.plan.layer_shape import LayerShape
from gen.plan.plan import Fold
from gen.support.devices import Device
from model.spec import Window
from rtl.block import BlockDescription
from rtl.classifier_output import ClassifierOutput
from rtl.classifier_word import ClassifierWord
from rtl.layer import Engine, symmetric
from rtl.pe.element import pe
from rtl.pool import BlockPool
from rtl.stage import Requant
from rtl.streams import Fifo, Fork, Join, Narrow, Widen
from rtl.wired.unit import Wired


@singledispatch
def block_features(block: BlockDescription, device: Device) -> Features:
    """Features of `block`, with `dsp` and `bram`. Raises TypeError for a block that has none."""
    raise TypeError(f"{type(block).__name__}: its features are not counted; do so in {__name__}")


@block_features.register(Narrow)
@block_features.register(Widen)
def _(block: Narrow | Widen, device: Device) -> Features:
    return converter_features(block)


@block_features.register
def _(block: Fifo, device: Device) -> Features:
    assert block.depth is not None, "hardware has a depth"
    return whole(fifo_features(block.depth, block.lanes * block.shape.width, device))


@block_features.register
def _(block: Fork, device: Device) -> Features:
    return whole(fork_features())


@block_features.register
def _(block: ClassifierOutput, device: Device) -> Features:
    return whole(output_features(block.score_shape.width))


@block_features.register
def _(block: ClassifierWord, device: Device) -> Features:
    return whole(word_output_features(block.classes, block.score_shape.width))


@block_features.register
def _(block: Join, device: Device) -> Features:
    counts = _requantiser(block.requant, block.lanes, block.acc_bits, device)
    return whole(counts.add(join_features(block.lanes, block.acc_bits, block.requant.out_bits)))


@block_features.register
def _(block: BlockPool, device: Device) -> Features:
    h, w = block.height, block.width
    window = Window(
        source=(h, w, block.channels), kernel=block.kernel, stride=block.kernel, pad=(0, 0),
        out=(h // block.kernel[0], w // block.kernel[1]),
    )  # fmt: skip
    words = block.outputs["o"]
    shape = LayerShape(
        kind=block.op, depthwise=True, window=window, x_bits=block.x_shape.width,
        x_signed=block.x_shape.signed, w_bits=0, weights=0, acc=block.acc_bits,
        channels=block.channels, out_bits=words.shape.width, alive=1.0,
        lane_bits=block.x_shape.width,
    )  # fmt: skip
    fold = Fold(pe=block.lanes, lanes=block.lanes, out_lanes=block.lanes, line_buffer=block.style)
    counts = _requantiser(block.requant, block.lanes, block.acc_bits + 1, device)
    alone = FoldArray.of([fold])
    return whole(counts.add(pool_features(shape, alone, device, raw=block.requant is None)))


@block_features.register
def _(block: Engine, device: Device) -> Features:
    if block.wired:
        return _wired_engine(block, block.wired, device)
    g, weights = block.geometry, block.weights
    window = Window(
        source=(g.height, g.width, g.channels), kernel=g.kernel, stride=g.stride, pad=g.pad,
        out=g.out,
    )  # fmt: skip
    shape = LayerShape(
        kind=block.kind, depthwise=g.depthwise, window=window, x_bits=block.x_bits,
        x_signed=block.x_signed, w_bits=block.w_bits,
        weights=0 if weights is None else weights.size, acc=block.acc_bits,
        channels=g.channels if g.depthwise else block.pe * g.repeats,
        out_bits=block.out_shape.width,
        alive=1.0 if weights is None else pe(block.kind).live_share(weights, block.w_bits),
        lane_bits=block.clamped_bits, symmetric=symmetric(weights, block.w_bits),
        w_signed=block.w_signed,
    )  # fmt: skip
    fold = Fold(
        pe=block.pe, lanes=g.lanes, taps=g.taps, out_lanes=block.out_lanes,
        multiplier=block.multiplier, logic_pe=block.logic_pe, weights=block.weight_style,
        line_buffer=block.line_buffer_style, staged=block.staged,
    )  # fmt: skip
    counts = _requantiser(block.requant, block.out_lanes, block.acc_bits, device)
    alone = FoldArray.of([fold])
    return whole(counts.add(engine_features(shape, alone, device, raw=block.requant is None)))


def _wired_engine(block: Engine, graph: Wired, device: Device) -> Features:
    """Of an engine whose weights are wired."""
    g = block.geometry
    window = Window(
        source=(g.height, g.width, g.channels), kernel=g.kernel, stride=g.stride, pad=g.pad,
        out=g.out,
    )  # fmt: skip
    shape = LayerShape(
        kind=block.kind, depthwise=False, window=window, x_bits=block.x_bits,
        x_signed=block.x_signed, w_bits=0, weights=0, acc=block.acc_bits, channels=block.pe,
        out_bits=block.outputs["o"].shape.width, alive=1.0, lane_bits=block.x_bits,
    )  # fmt: skip
    fold = Fold(
        pe=block.pe, lanes=g.lanes, taps=g.taps, out_lanes=block.out_lanes,
        line_buffer=block.line_buffer_style,
    )  # fmt: skip
    rest = around(shape, FoldArray.of([fold]), device)
    return whole(graph_features(graph.counts).add(rest))


def _requantiser(requant: Requant | None, lanes: int, x_bits: int, device: Device) -> FeatureCounts:
    """Of words of `lanes` sums of `x_bits` bits; nothing where there is none."""
    if requant is None:
        return FeatureCounts()
    unit = requant.unit(lanes=lanes, x_bits=x_bits)
    return FeatureCounts(unit_features(unit, requant.out_bits, device))
