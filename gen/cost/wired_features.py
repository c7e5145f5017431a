"""What layers are made of whose weights are wired, counted: from the graph of adders, or about it.

A graph is made in hundredths of a second to minutes. Windows of a word have the same weights, and
share little with each other: what a connection takes in a graph of rows or images is within 5 % of
that of the pixel's. So these are scaled from it where it is small, and else counted by the digits
of the weights: within 13 % of the graph on average for mult and shift, within 40 % for add, whose
sharing depends on where its weights lie. A search counts by digits alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from gen.cost.lanes import lane_cost
from gen.engine.units import wired
from gen.plan.fold_array import FeatureCounts
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Word
from gen.plan.spread import windows_of_word
from model.spec import Conv, Dense, Window
from rtl.wired.operations import Counts
from rtl.wired.sharing import pairs

Graphs = Literal["own", "pixel", "none"]
"""What a layer is counted from: its own graph, that of a pixel, or its weights' digits alone."""
QUICK = 20_000
"""Pairs of digits in the sums of a pixel up to which its graph takes a tenth of a second."""
REQUANTISED = 4
"""Levels of a requantiser."""
PARTS = ("adders", "adder_bits", "luts", "register_bits")


def graph_features(counts: Counts) -> FeatureCounts:
    """Of a graph in its pipeline."""
    behind = min(counts.register_bits, counts.adder_bits + counts.luts)
    return FeatureCounts(
        wired_bits=counts.adder_bits, wired_chains=counts.adders, wired_lut=counts.luts,
        register=behind, lone=counts.register_bits - behind,
    )  # fmt: skip


def wired_features(layer: LoweredLayer, word: Word, *, graphs: Graphs) -> FeatureCounts:
    """Of the graph of a layer whose words hold `word`."""
    assert layer.window is not None
    if graphs == "own":
        return graph_features(wired(layer, word).counts)
    small = graphs == "pixel" and pairs(_digits(layer).tolist()) <= QUICK
    one = wired(layer, "pixel").counts if small else about(layer)
    times = windows_of_word(layer.window, word) * inside(layer.window, word)
    scaled = Counts(*(round(times * getattr(one, part)) for part in PARTS))
    return graph_features(scaled)


def inside(place: Window, word: Word) -> float:
    """Share of the taps of a word's windows that lie inside of it: others are no inputs."""
    axes = {"pixel": (), "row": (1,), "image": (0, 1)}[word]
    share = 1.0
    for axis in axes:
        first = np.arange(place.out[axis]) * place.stride[axis] - place.pad[axis]
        at = first[:, None] + np.arange(place.kernel[axis])
        share *= float(((at >= 0) & (at < place.source[axis])).mean())
    return share


@lru_cache(256)
def about(layer: LoweredLayer) -> Counts:
    """Of the graph of a window, by the digits of its weights."""
    rates = lane_cost(layer.kind).graph
    assert rates is not None, "a kind without rates is never wired"
    outputs = layer.sums.shape[2] * (layer.requantise is not None)
    digits = float(_digits(layer).sum())
    sizes = digits * layer.sources[0].bits, digits, outputs * layer.sum_bits, outputs
    return Counts(*(round(float(np.dot(getattr(rates, part), sizes))) for part in PARTS))


def about_latency(layer: LoweredLayer) -> int:
    """Cycles of the graph of a window, about: a level of adders each time the terms are halved, and
    those of a requantiser."""
    most = int(_digits(layer).max(initial=1))
    return max(most - 1, 1).bit_length() + REQUANTISED * (layer.requantise is not None)


@lru_cache(256)
def _digits(layer: LoweredLayer) -> np.ndarray:
    """Of each output channel the signed digits of its weights, at least; inputs of a pool."""
    if not isinstance(layer.op, Conv | Dense):
        assert layer.window is not None
        return np.full(layer.sums.shape[2], layer.window.taps)
    weights = layer.op.weights.astype(np.int64).reshape(layer.sums.shape[2], -1)
    digits: np.ndarray = lane_cost(layer.kind).digits(weights).sum(1)
    return digits
