"""Layers whose words hold a row or a whole image: the values of a word count as channels.

A convolution over height × width × channels whose words are rows is one over height × 1 ×
(width·channels), with a sum for each window of a row; whose words are images, a fully connected
layer. Where a window reaches out of a word, its taps are no inputs: a `Wiring` says which inputs
each sum has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold, Word
from model.kinds import kind, kind_names
from model.spec import Conv, Dense, Window

Connections = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Wiring:
    """Sums of a word of windows: for each its inputs as (index, weight), and a constant beside.

    Indices count the values of the rows that a window reads, tap by tap, channels innermost.
    """

    connections: Connections
    offsets: tuple[int, ...]
    inputs: int


def spread(place: Window, word: Word) -> Window:
    """The windows of a layer whose words hold `word`."""
    (h, w, c), (kh, _), (oh, _) = place.source, place.kernel, place.out
    if word == "row":
        stride, pad = (place.stride[0], 1), (place.pad[0], 0)
        return Window((kh, 1), stride, pad, (h, 1, w * c), (oh, 1))
    if word == "image":
        return Window((1, 1), (1, 1), (0, 0), (1, 1, h * w * c), (1, 1))
    return place


def windows_of_word(place: Window, word: Word) -> int:
    """Windows whose sums make one output word."""
    oh, ow = place.out
    return {"pixel": 1, "row": ow, "image": oh * ow}[word]


def word_values(shape: tuple[int, int, int], word: Word) -> int:
    """Values of a tensor of `shape` in one word."""
    return prod(shape[{"pixel": 2, "row": 1, "image": 0}[word] :])


def wired_fold(layer: LoweredLayer, word: Word, line_buffer: str = "logic") -> Fold:
    """The fold of a layer with a window whose weights are wired, with words that hold `word`."""
    assert layer.window is not None
    place = spread(layer.window, word)
    sums = windows_of_word(layer.window, word) * layer.sums.shape[2]
    return Fold(
        pe=sums, lanes=place.source[2], taps=place.taps, out_lanes=sums, weights="wired",
        line_buffer=line_buffer, word=word,
    )  # fmt: skip


def connections(layer: LoweredLayer, word: Word) -> int:
    """Inputs of all sums of an output word, at most: as if none lay outside of it."""
    assert layer.window is not None
    weights = getattr(layer.op, "weights", None)
    one = layer.window.taps * layer.sums.shape[2] if weights is None else int(weights.size)
    return one * windows_of_word(layer.window, word)


@lru_cache(256)
def wiring(layer: LoweredLayer, word: Word) -> Wiring:
    """All inputs of all sums of one output word of a layer with a window."""
    assert layer.window is not None
    ys = range(layer.window.out[0] if word == "image" else 1)
    xs = range(1 if word == "pixel" else layer.window.out[1])
    taps = _weights(layer)
    sums = [_sum(layer, word, y, x, rows) for y, x in product(ys, xs) for rows in taps]
    place = spread(layer.window, word)
    return Wiring(
        tuple(tuple(terms) for terms, _ in sums), tuple(offset for _, offset in sums),
        place.taps * place.source[2],
    )  # fmt: skip


Tap = tuple[int, int, int, int]
"""Row and column in the kernel, channel, weight."""


def _weights(layer: LoweredLayer) -> list[list[Tap]]:
    """Of each output channel, the taps that count."""
    place, op = layer.window, layer.op
    assert place is not None
    (kh, kw), channels = place.kernel, place.source[2]
    if not isinstance(op, Conv | Dense):
        every = list(product(range(kh), range(kw)))
        return [[(ky, kx, c, 1) for ky, kx in every] for c in range(channels)]
    inputs = 1 if layer.depthwise else channels
    weights = op.weights.reshape(-1, kh, kw, inputs)
    return [list(_taps(rows, o if layer.depthwise else 0, layer)) for o, rows in enumerate(weights)]


def _taps(weights: np.ndarray, first: int, layer: LoweredLayer) -> Iterator[Tap]:
    """Of one output channel, whose inputs begin at channel `first`."""
    for (ky, kx, c), w in np.ndenumerate(weights):
        if w or not _zero_is_free(layer.kind):
            yield ky, kx, first + c, int(w)


def _zero_is_free(name: str) -> bool:
    """A weight of zero adds nothing, whatever the input."""
    return kind(name).linear


def _sum(
    layer: LoweredLayer, word: Word, y: int, x: int, taps: list[Tap]
) -> tuple[list[tuple[int, int]], int]:
    """Inputs and constant of one sum: that of window (y, x) of a word."""
    place: Any = layer.window
    (h, w, c), (_, kw) = place.source, place.kernel
    if word == "pixel":
        return [((ky * kw + kx) * c + ch, weight) for ky, kx, ch, weight in taps], 0
    top = y * place.stride[0] - place.pad[0] if word == "image" else 0
    left = x * place.stride[1] - place.pad[1]
    inside, outside = [], []
    for ky, kx, ch, weight in taps:
        row, column = top + ky, left + kx
        if 0 <= column < w and (word == "row" or 0 <= row < h):
            inside.append(((row * w + column) * c + ch, weight))
        else:
            outside.append(weight)
    return inside, _padding(layer.kind, outside)


def _padding(name: str, weights: list[int]) -> int:
    """The sum of terms whose inputs are all zero."""
    if not weights or name not in kind_names():
        return 0
    least, _ = kind(name).bounds(np.array([weights]), 0, 0)
    return int(least[0])
