"""Cycles of an accelerator in milliseconds, for the search; `gen.engine.schedule` has the exact
ones.

The words of the first image are followed through the blocks as arrays of transfer times, each a
running maximum of "when it came" and "when the one before it left". The interval is that of the
busiest block. A layer whose words come in bursts is held up by a converter that makes them
narrower; else no word is taken to be held up by a full buffer behind it, for a layer so slow that
its buffer fills up is never short of words itself. Of 70 plans of 8×8 networks 67 have exactly
the schedule's interval, 3 of perfectly balanced layers one up to 11 % less; latencies are within
2 %, 62 of them exact. FIFOs before joins are as deep as the first image needs them, and take a
two-hundredth of the schedule's time: of 22 plans of 28×28 networks with residual blocks all have
its LUTs and blocks of RAM, though some depths differ by up to two fifths, as images overlap there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import gcd, prod

import numpy as np
from amaranth.hdl import unsigned

from gen.cost.requant_features import requantisers
from gen.cost.wired_features import about_latency
from gen.engine.schedule import Cycles
from gen.engine.units import geometry
from gen.plan.layer_shape import layer_shape, placed
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold
from gen.plan.spread import spread
from model.spec import Add, Head, Input, Window
from rtl.geometry import Geometry
from rtl.layer import sums_depth
from rtl.pool import BlockPool
from rtl.window import SlidingWindow

Times = np.ndarray
"""Cycle at which each word of an image may leave its block, in order."""


def fast_fifos(
    layers: Sequence[LoweredLayer], folds: Mapping[str, Fold]
) -> tuple[dict[str, tuple[int, int]], Cycles]:
    """Of layers in topological order, folded as `folds` says: depths of the FIFOs before each join,
    by its name, of which the shortcut has one that never refuses a word of the first image; and
    latency and interval of an image."""
    times: dict[str, Times] = {}
    lanes: dict[str, int] = {}
    by_name = {layer.name: layer for layer in layers}
    fifos: dict[str, tuple[int, int]] = {}
    busy = 0
    for layer in layers:
        fold = folds[layer.name]
        came, used = [], 0
        for name in layer.inputs:
            reads = _reads(layer, fold)
            gap = lanes[name] // gcd(lanes[name], reads)
            given, own = _held(by_name[name], folds[name], gap, times[name])
            words, most = _converted(given, lanes[name], reads)
            came.append(words)
            used = max(used, most, own)
        if isinstance(layer.op, Add):
            fifos[layer.name] = _depths(*came)
        out, own = _through(layer, fold, came)
        times[layer.name] = out
        lanes[layer.name] = fold.out_lanes
        busy = max(busy, used, own)
    return fifos, Cycles(latency=int(times[layers[-1].name][-1]), interval=busy)


def _depths(a: Times, b: Times) -> tuple[int, int]:
    """Of the two FIFOs of a join, of which the side that waits less has none: the most words that
    wait, and two, as gen.engine.stream_cycles.FifoCycles counts them."""
    pairs = _spaced(np.maximum(a, b), 1)
    count = 1 + np.arange(len(pairs))
    first, second = (
        int((count - np.searchsorted(pairs, side, "right")).max()) + 2 for side in (a, b)
    )
    return (first, 0) if first > second else (0, second)


def _reads(layer: LoweredLayer, fold: Fold) -> int:
    """Channels of the words that a layer takes."""
    return fold.lanes


def _spaced(times: Times, gap: int) -> Times:
    """The same words, each at least `gap` cycles after the one before."""
    steps = gap * np.arange(len(times))
    return np.maximum.accumulate(times - steps) + steps


def _converted(times: Times, have: int, want: int) -> tuple[Times, int]:
    """Words of `have` channels as words of `want`, and the cycles an image that takes at least."""
    common = gcd(have, want)
    busy = len(times)
    if (factor := have // common) > 1:
        times = (_spaced(times, factor)[:, None] + 1 + np.arange(factor)).ravel()
        busy *= factor
    if (factor := want // common) > 1:
        times = _spaced(times, 1)[factor - 1 :: factor] + 1
    return times, busy


def _through(layer: LoweredLayer, fold: Fold, came: list[Times]) -> tuple[Times, int]:
    """When words may leave a layer, and the cycles of an image for which it is busy."""
    match layer.op:
        case Input(shape=(h, w, c)):
            words = h * w * c // fold.lanes
            return np.arange(words), words
        case Head():
            return _head(layer, fold, came[0])
        case Add():
            times = _spaced(np.maximum(*came), 1)
            return times + _requant_latency(layer, fold) + 2, len(times)
    if layer.blocks and fold.weights != "wired":
        latency = _pool_latency(layer, fold) + _requant_latency(layer, fold)
        return _pool(layer, _spaced(came[0], 1)) + latency + 1, len(came[0])
    return _engine(layer, fold, _spaced(came[0], 1))


def _head(layer: LoweredLayer, fold: Fold, came: Times) -> tuple[Times, int]:
    if fold.lanes > 1:
        return came + (layer.out.shape[2] - 1).bit_length() + 1, 1
    size = -(-layer.out.bits // 8)
    return _spaced(came, size) + size, len(came) * size + 1


def _pool_latency(layer: LoweredLayer, fold: Fold) -> int:
    """`rtl.pool.BlockPool.latency`, without its requantiser."""
    assert layer.window is not None
    h, w, c = layer.window.source
    return BlockPool(
        op="max", height=h, width=w, channels=c, kernel=layer.window.kernel, lanes=fold.lanes,
        x_shape=unsigned(1), style=fold.line_buffer,
    ).latency  # fmt: skip


def _pool(layer: LoweredLayer, came: Times) -> Times:
    """When the last word of each block came."""
    assert layer.window is not None
    (kh, kw), (oh, ow) = layer.window.kernel, layer.window.out
    h, w, _ = layer.window.source
    return came.reshape(h, w, -1)[kh - 1 : oh * kh : kh, kw - 1 : ow * kw : kw].ravel()


def _engine(layer: LoweredLayer, fold: Fold, came: Times) -> tuple[Times, int]:
    g = geometry(layer, fold)
    if g.in_order:
        return came + 1 + engine_latency(layer, fold), g.cycles
    starts = _spaced(came[_needed(g) - 1] + 1, g.slots_per_window)
    ends = g.slots_per_sum * np.arange(1, g.slots_per_window // g.slots_per_sum + 1)
    words = np.arange(fold.pe // fold.out_lanes)
    latency = engine_latency(layer, fold)
    times = starts[:, None, None] + ends[:, None] + (latency + words)
    return times.ravel(), g.cycles


def _held(layer: LoweredLayer, fold: Fold, gap: int, times: Times) -> tuple[Times, int]:
    """Words that leave one in `gap` cycles, and the cycles an image if that holds the layer up.

    Two words wait at its end (rtl.stage.Outlet); then it stands still until the first one leaves.
    """
    single = fold.weights == "wired" or (not layer.blocks and fold.pe == fold.out_lanes)
    if gap == 1 or layer.window is None or single:
        return times, 0
    ends, cycles = _emissions(layer, fold)
    steady = _leave([*ends, *(cycles + e for e in ends)], gap)
    spread = steady[-1] - steady[len(ends) - 1]
    if spread <= cycles:
        return times, 0
    return np.array(_leave(ends, gap, times.tolist())), spread


def _leave(ends: Sequence[int], gap: int, times: Sequence[int] | None = None) -> list[int]:
    """When each word comes to the end of a layer: not before `times`, in cycles that may stall.

    ends: the same without any stall, of which only the differences count.
    """
    now = before = left = 0
    leaving = []
    for k, end in enumerate(ends):
        now += end - before
        if times is not None:
            now = max(now, times[k])
        leaving.append(now)
        came, before = now, end
        now = max(now, left)
        left = max(came + 1, left + gap)
    return leaving


def _emissions(layer: LoweredLayer, fold: Fold) -> tuple[list[int], int]:
    """Cycles of an image in which a layer that never waits gives a word, and all its cycles."""
    if layer.blocks and fold.weights != "wired":
        words = prod(layer.sources[0].shape) // fold.lanes
        return (_pool(layer, np.arange(words)) + 1).tolist(), words
    g = geometry(layer, fold)
    sums = g.slots_per_sum * np.arange(1, g.cycles // g.slots_per_sum + 1)
    return np.add.outer(sums, np.arange(fold.pe // fold.out_lanes)).ravel().tolist(), g.cycles


def _needed(g: Geometry) -> np.ndarray:
    """Words that must have come before each window is read, in order: whole rows, and columns."""
    rows = np.array([g.needed(y, 0) for y in range(g.out[0])])
    columns = np.array([g.needed(0, x) for x in range(g.out[1])])
    needed: np.ndarray = np.add.outer(rows, columns - columns[0]).ravel()
    return needed


def engine_latency(layer: LoweredLayer, fold: Fold) -> int:
    """`rtl.layer.Engine.latency`, without describing the engine for each folding."""
    assert layer.window is not None
    latency = _front_latency(layer, fold) + _sums_latency(layer, fold)
    if fold.weights == "wired":
        return latency
    latency += (fold.pe > fold.out_lanes) + int(layer_shape(layer).clamps(fold))
    return latency + _requant_latency(layer, fold)


def _requant_latency(layer: LoweredLayer, fold: Fold) -> int:
    made = requantisers(layer)
    return made.unit(fold.out_lanes, fold.requant).latency if made else 0


def _front_latency(layer: LoweredLayer, fold: Fold) -> int:
    """Of what reads the windows."""
    assert layer.window is not None
    if geometry(layer, fold).in_order:
        return 1
    return _reader_latency(spread(layer.window, fold.word), fold.line_buffer)


def _sums_latency(layer: LoweredLayer, fold: Fold) -> int:
    if fold.weights == "wired":
        return about_latency(layer)
    return sums_depth(
        layer.kind, simd=fold.taps * (1 if layer.depthwise else fold.lanes),
        w_bits=getattr(layer.op, "bits", 0), multiplier=fold.multiplier, logic_pe=fold.logic_pe,
        registered=fold.weights == "parts", staged=fold.staged,
    )  # fmt: skip


@cache
def _reader_latency(place: Window, style: str) -> int:
    return SlidingWindow(geometry=placed(place), x_shape=unsigned(1), style=style).latency
