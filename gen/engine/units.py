"""From a layer and its folding to the description of the hardware that computes it."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar, cast

from amaranth.hdl import Shape, signed, unsigned

from gen.plan.layer_shape import placed
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold, Word
from gen.plan.spread import spread, wiring
from gen.plan.stored import folded_requantise, stored
from model.spec import Format, Tensor
from rtl.geometry import Geometry
from rtl.layer import Engine
from rtl.pool import BlockPool, PoolOp
from rtl.stage import Requant
from rtl.wired.requantise import Staircase
from rtl.wired.unit import WiredLayer, WiredSums

W = TypeVar("W", WiredSums, WiredLayer)


def shape_of(tensor: Tensor) -> Shape:
    """Of one value of `tensor`."""
    return signed(tensor.bits) if tensor.signed else unsigned(tensor.bits)


def geometry(layer: LoweredLayer, fold: Fold) -> Geometry:
    """Where the layer's windows stand, folded."""
    assert layer.window is not None
    if fold.weights == "wired":
        place = spread(layer.window, fold.word)
        return placed(place, lanes=place.source[2], taps=place.taps)
    return placed(
        layer.window,
        lanes=fold.lanes,
        repeats=1 if layer.depthwise else layer.sums.shape[2] // fold.pe,
        taps=fold.taps,
        depthwise=layer.depthwise,
    )


def requant(layer: LoweredLayer, fold: Fold) -> Requant | None:
    """The layer's requantiser, or None.

    It clips to the ends of what its output can hold: the proven range never reaches beyond them but
    where the format itself clips, and whole powers of two need no comparison.
    """
    node = folded_requantise(layer)
    if node is None:
        return None
    out = Format(layer.out.bits, layer.out.signed)
    times = max(1, fold.out_lanes // layer.out.shape[2])  # windows of an output word
    return Requant(
        multipliers=node.multiplier.tolist() * times,
        offsets=node.offset.tolist() * times,
        shift=node.shift,
        lo=out.lo,
        hi=out.hi,
        out_bits=out.bits,
        out_signed=out.signed,
        multiplier=fold.requant,
    )


@lru_cache(256)
def wired(layer: LoweredLayer, word: Word) -> WiredSums | WiredLayer:
    """The graph of adders of a layer whose words hold `word`, with its requantiser if it has one.

    It clips to the ends of what its output can hold, see `requant`.
    """
    x, parts = layer.sources[0], wiring(layer, word)
    sums = WiredSums(
        kind=layer.kind, connections=parts.connections, offsets=parts.offsets, inputs=parts.inputs,
        x_bits=x.bits, x_signed=x.signed, acc_bits=layer.sum_bits,
    )  # fmt: skip
    node, out = layer.requantise, Format(layer.out.bits, layer.out.signed)
    if node is None:
        return _same(sums)
    half = (1 << node.shift) >> 1
    steps = [
        Staircase(int(m), int(b) + half, node.shift, out.lo, out.hi)
        for m, b in zip(node.multiplier, node.offset, strict=True)
    ]
    times = len(parts.offsets) // len(steps)
    return _same(
        WiredLayer(
            layer_sums=sums, steps=tuple(steps * times), out_bits=out.bits, out_signed=out.signed
        )
    )


def _same(graph: W) -> W:
    """The first one made of equal descriptions, whose graph there is already."""
    first: W = _first(graph)
    return first


@lru_cache(64)
def _first(graph: W) -> W:
    return graph


def engine(layer: LoweredLayer, fold: Fold) -> Engine:
    """The layer engine of a convolution, a fully connected layer or an overlapping pool; of any
    pool where it is wired."""
    x = layer.sources[0]
    graph = wired(layer, fold.word) if fold.weights == "wired" else None
    weights = None if graph else stored(layer)
    return Engine(
        kind=layer.kind,
        geometry=geometry(layer, fold),
        weights=weights.values if weights else None,
        w_bits=weights.bits if weights else 0,
        w_signed=weights is None or weights.signed,
        x_bits=x.bits,
        x_signed=x.signed,
        acc_bits=layer.sum_bits,
        pe=fold.pe,
        out_lanes=fold.out_lanes,
        requant=None if graph else requant(layer, fold),
        multiplier=fold.multiplier,
        logic_pe=fold.logic_pe,
        staged=fold.staged,
        weight_style=fold.weights,
        line_buffer_style=fold.line_buffer,
        wired=graph,
    )


def block_pool(layer: LoweredLayer, fold: Fold) -> BlockPool:
    """The unit of a pooling layer whose windows do not overlap."""
    place = layer.window
    assert place is not None
    h, w, c = place.source
    return BlockPool(
        op=cast(PoolOp, layer.kind),
        height=h,
        width=w,
        channels=c,
        kernel=place.kernel,
        lanes=fold.lanes,
        x_shape=shape_of(layer.sources[0]),
        requant=requant(layer, fold),
        style=fold.line_buffer,
    )
