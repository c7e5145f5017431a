"""What a layer is made of, counted: adder bits, registers, memories, multipliers.

All foldings of a layer are counted at once, in arrays. Features have prices, see gen.cost.cost;
multipliers and blocks of RAM are counted exactly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from amaranth.hdl import unsigned

import rtl.streams
from gen.cost import engine_features
from gen.cost.lanes import lane_cost
from gen.cost.requant_features import requantisers
from gen.cost.wired_features import Graphs, wired_features
from gen.plan.fold_array import FeatureCounts, FoldArray, billed, bit_length, where
from gen.plan.layer_shape import LayerShape, layer_shape
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Cost, Fold
from gen.plan.spread import spread
from gen.support.devices import Device
from model.spec import Add, Head, Input
from rtl.streams import Narrow, Widen

Features = Counter[str]
MEANING = {
    "register": "flip-flops behind logic",
    "lone": "flip-flops with no logic before them",
    "dsp_reg": "flip-flops around hardware multipliers, which may have them inside",
    "bram_reg": "flip-flops behind blocks of RAM, which may have them inside",
    "lane_mult": "bits of the partial products of mult",
    "lane_shift": "bits of the multiplexer stages of shift",
    "lane_shift3": "the same of weights of 3 bits or fewer: two stages have less to merge",
    "lane_add": "bits of the distances of add",
    "lane_requant": "bits of the terms of requantisers",
    "tree_mult": "bits of the adders of mult",
    "tree_shift": "bits of the adders of shift",
    "tree_add": "bits of the adder-subtractors of add",
    "tree_max": "bits of comparisons",
    "tree_sum": "bits of the adders of pooling and of residual joins",
    "tree_requant": "bits of the adders of requantisers",
    "chains": "carry chains of all these adders",
    "clip": "bits of the outputs of requantisers",
    "drain": "bits of finished sums on their way out",
    "outlet": "bits of output words",
    "convert": "bits of words made narrower",
    "ram16x4": "memories of 16 × 4 bits made of LUTs",
    "ram_mux": "bits chosen among these",
    "ram_ff": "bits of memories made of flip-flops",
    "wired_bits": "bits of the adders of wired layers",
    "wired_chains": "carry chains of these",
    "wired_lut": "LUTs of wired layers beside them: functions of few bits, choices",
    "rom": "bits of weight memories made of LUTs, in sixteens",
    "table": "bits of the tables of requantisers, in sixteens",
    "address": "bits of addresses of row buffers, and of those of parallel taps",
    "counter": "bits of loop counters",
    "flow": "bits of counters of words that came and words that are free",
    "inside": "taps that may lie outside of the image, and bits of its masks",
    "engine": "layer engines",
    "pool": "block pools",
    "head": "heads",
    "base": "a network, see gen.cost.fmax",
    "use": "share of the device's LUTs in use",
    "pool_ram": "1 with a pool that keeps partial results in a block of RAM",
}
"""Every feature there is, of an accelerator."""


def features(
    layer: LoweredLayer, foldings: FoldArray, device: Device, graphs: Graphs = "own"
) -> FeatureCounts:
    """The bill of each folding of a layer, without the converters before it.

    graphs: what wired layers are counted from, see gen.cost.wired_features.
    """
    mask = foldings.weights == "wired"
    if not mask.any():
        return _folded(layer, foldings, device)
    rows = np.flatnonzero(mask)
    bills = [_wired(layer, foldings[i], device, graphs) for i in rows.tolist()]
    usual = FeatureCounts() if mask.all() else _folded(layer, foldings.only(~mask), device)
    names = dict.fromkeys([*usual, *(name for bill in bills for name in bill)])
    counts = FeatureCounts({name: np.zeros(len(foldings)) for name in names})
    for name, column in counts.items():
        column[~mask] = usual.get(name, 0)
        column[rows] = [bill.get(name, 0) for bill in bills]
    return counts


def _wired(layer: LoweredLayer, fold: Fold, device: Device, graphs: Graphs) -> Features:
    """Of one folding whose weights are wired: the graph, what reads its windows, its outlet."""
    assert layer.window is not None
    shape = replace(
        layer_shape(layer), window=spread(layer.window, fold.word), depthwise=False, weights=0,
        channels=fold.pe, out_bits=layer.out.bits,
    )  # fmt: skip
    graph = wired_features(layer, fold.word, graphs=graphs)
    return whole(graph.add(engine_features.around(shape, FoldArray.of([fold]), device)))


def _folded(layer: LoweredLayer, foldings: FoldArray, device: Device) -> FeatureCounts:
    """The same of foldings without wired weights."""
    if isinstance(layer.op, Input):
        return FeatureCounts()
    if isinstance(layer.op, Head):
        wide = word_output_features(layer.out.shape[2], layer.out.bits)
        return where(foldings.lanes > 1, wide, output_features(layer.out.bits))
    scaling = requantisers(layer)
    bill = FeatureCounts()
    if scaling is not None:
        made = scaling.part
        bill = billed(lambda n, by: made(n, by, device), foldings.out_lanes, foldings.requant)
    if isinstance(layer.op, Add):
        return bill.add(join_features(foldings.lanes, layer.sum_bits, layer.out.bits))
    shape = layer_shape(layer)
    if layer.blocks:
        return bill.add(pool_features(shape, foldings, device, raw=scaling is None))
    return bill.add(engine_features.engine(shape, foldings, device, raw=scaling is None))


def describe(layer: LoweredLayer, fold: Fold, device: Device) -> tuple[Features, Cost]:
    """Features of one folding with a price, and what is counted."""
    bill = features(layer, FoldArray.of([fold]), device)
    counts = whole(bill)
    return counts, Cost(dsp=counts.pop("dsp", 0), bram=counts.pop("bram", 0))


def whole(counts: FeatureCounts) -> Features:
    """Counts of one block or folding, which arrays may hold, as whole numbers."""
    return Counter({n: int(v.item() if hasattr(v, "item") else v) for n, v in counts.items()})


def converters(bits: int, have: int, want: int) -> Features:
    """Of the converters from words of `have` values of `bits` bits to words of `want`."""
    chain = rtl.streams.converters(unsigned(bits), have, want)
    return sum((converter_features(block) for block in chain), Counter())


def converter_features(block: Narrow | Widen) -> Features:
    """Of one converter."""
    bits = block.wide.lanes * block.shape.width
    if isinstance(block, Narrow):
        return Counter(convert=bits, register=bits + block.factor)
    return Counter(lone=bits, register=block.factor + 1, counter=block.factor)


def output_features(score_bits: int) -> FeatureCounts:
    """Of the end of a classifier, for scores of so many bits."""
    return FeatureCounts(head=1, tree_max=score_bits, register=score_bits + 8, chains=1)


def word_output_features(classes: int, score_bits: int) -> FeatureCounts:
    """Of the end of a classifier that takes all scores of an image at once."""
    left, levels = classes - 1, (classes - 1).bit_length()
    words, index = classes * score_bits, (classes - 1).bit_length()
    chosen = left * (score_bits + index)
    return FeatureCounts(
        tree_max=left * score_bits, chains=left, outlet=words + index, register=chosen + words,
        lone=levels * words,
    )  # fmt: skip


def join_features(lanes: Any, sum_bits: int, out_bits: int) -> FeatureCounts:
    """Of a residual join, with the outlet of its requantiser. lanes: a number or an array."""
    wide, out = lanes * sum_bits, lanes * out_bits
    return FeatureCounts(tree_sum=wide, chains=lanes, register=wide + out + 4, outlet=out, lone=out)


def pool_features(shape: LayerShape, f: FoldArray, device: Device, *, raw: bool) -> FeatureCounts:
    """Of a block pool but for its requantiser. raw: there is none."""
    return _pool(shape, f, raw=raw).add(_partial(shape, f, device))


def _pool(shape: LayerShape, f: FoldArray, *, raw: bool) -> FeatureCounts:
    """Sums or comparisons of a pool, and the counters that control it. raw: no requantiser."""
    spot, out, wide = shape.window, f.lanes * shape.out_bits, f.lanes * shape.acc
    (kh, kw), (h, w, c) = spot.kernel, spot.source
    folds = c // f.lanes
    loops = (h > 1) + (w > 1) + (folds > 1)
    count = 2 * ((h - 1).bit_length() + (w - 1).bit_length()) + bit_length(folds - 1)
    count += (kh - 1).bit_length() + (kw - 1).bit_length()
    count += 4 * bit_length(spot.out[1] * folds)
    bill = FeatureCounts(
        {lane_cost(shape.kind).tree: wide}, pool=1, counter=count, outlet=out, chains=f.lanes
    )
    bill.add(register=count + 2 * loops + 8 + out)
    return bill.add(lone=out) if raw else bill.add(register=wide + out)


def _partial(shape: LayerShape, f: FoldArray, device: Device) -> FeatureCounts:
    """Partial results of a pool: one row of memory, or a register."""
    folds, bits = shape.window.source[2] // f.lanes, f.lanes * shape.acc
    bill = engine_features.line_buffer(
        folds * shape.window.out[1], bits, np.ones_like(bits), f.line_buffer, device
    )
    single = folds == 1
    return bill.add(register=single * bits, lone=(~single & (f.line_buffer != "block")) * bits)
