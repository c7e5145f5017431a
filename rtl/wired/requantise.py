"""One channel's requantiser as a graph: y = clip((acc·m + b) >> shift, lo, hi), of constants.

Equals `Requantise` in the golden model with its half within b. It is a staircase, and with few bits
of result there is less to it than a product:

    digits  the product from signed digits of m, the sum with b, both ends clipped
    table   acc in blocks of 2^low values, in each of which y changes by one at most: a table by
            the block of y at its start and of what carries over at the step, added to the low bits
            (or, where y falls, less these)

The table may come behind an offset, added to the sums, by which its steps begin at 0, and a clamp
to the last step. What takes the least is chosen by counting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rtl.scale import signed_digits
from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Clamp, Lookup, Low, Range, ShiftRight, SumNode, shape_of
from rtl.wired.pipeline import GraphPipeline
from rtl.wired.sharing import constant_term, tree

WIDEST_SUM = 1 << 16
"""Values of acc beyond which no table is tried."""
WIDEST_TABLE = 7
"""Bits of a block's number."""
ALIGNMENTS = 8
"""Places of the first step within its block that are tried."""


@dataclass(frozen=True)
class Staircase:
    """clip((acc·multiplier + offset) >> shift, lo, hi)."""

    multiplier: int
    offset: int
    shift: int
    lo: int
    hi: int

    def __call__(self, acc: np.ndarray) -> np.ndarray:
        scaled = (acc * self.multiplier + self.offset) >> self.shift
        clipped: np.ndarray = np.clip(scaled, self.lo, self.hi)
        return clipped


@dataclass(frozen=True)
class StaircaseForm:
    """How a staircase is made of acc + offset. low: bits of a block, None for digits. last: what
    acc + offset is clamped to, from 0: all ones, which takes no comparison; None for no clamp."""

    offset: int = 0
    low: int | None = None
    last: int | None = None


def requantised(graph: AdderGraph, acc: GraphTerm, steps: Staircase, form: StaircaseForm) -> int:
    """The node of a staircase of acc, to which the offset of its form was added."""
    if form.low is None:
        return _digits(graph, acc, steps)
    shift = GraphTerm(graph.constant(0))
    node = acc.node if not acc.shift and not acc.negative else graph.add(shift, acc).node
    if form.last is not None:
        node = graph.node(Clamp((node,), 0, form.last))
    lo, hi = graph.bounds[node]
    if lo == hi:
        return graph.constant(int(steps(np.array(lo - form.offset))))
    return _table(graph, node, steps, form)


@lru_cache(1 << 12)
def best_form(steps: Staircase, bounds: Range) -> StaircaseForm:
    """The form of least hardware for sums within `bounds`."""
    return min(forms(steps, bounds), key=lambda form: _size(steps, bounds, form))


def _digits(graph: AdderGraph, acc: GraphTerm, steps: Staircase) -> int:
    digits = [
        GraphTerm(acc.node, acc.shift + places, acc.negative != negative)
        for negative, places in signed_digits(steps.multiplier)
    ]
    total = tree(graph, [*digits, *constant_term(graph, steps.offset)])
    if total.negative:
        total = graph.add(GraphTerm(graph.constant(0)), total)
    node = total.node
    if total.shift < steps.shift:
        node = graph.node(ShiftRight((node,), steps.shift - total.shift))
    elif total.shift > steps.shift:
        node = graph.add(
            GraphTerm(graph.constant(0)), GraphTerm(node, total.shift - steps.shift)
        ).node
    return graph.node(Clamp((node,), steps.lo, steps.hi))


def _table(graph: AdderGraph, node: int, steps: Staircase, form: StaircaseForm) -> int:
    """The table by the block of a node, added to the node's low bits."""
    assert form.low is not None
    bounds, low = graph.bounds[node], form.low
    blocks = graph.node(ShiftRight((node,), low)) if low else node
    bits = shape_of(graph.bounds[blocks]).width
    if bounds[0] < 0:
        blocks = graph.node(Low((blocks,), bits))
    starts = np.arange(1 << bits)
    if bounds[0] < 0:
        starts = np.where(starts >> (bits - 1), starts - (1 << bits), starts)
    x = (starts[:, None] << low) + np.arange(1 << low) - form.offset
    x = np.clip(x, bounds[0] - form.offset, bounds[1] - form.offset)
    y = steps(x)
    if not low:
        return graph.node(Lookup((blocks,), tuple(y[:, 0].tolist())))
    least, falls = int(y.min()), steps.multiplier < 0
    changed = (y != y[:, :1]).sum(1)
    at_start = (y[:, 0] - least << low) + ((1 << low) - 1 - changed if falls else changed)
    table = graph.node(Lookup((blocks,), tuple(at_start.tolist())))
    below = graph.node(Low((node,), low))
    span = 0, ((int(y.max()) - least + 1) << low) - 1
    total = graph.node(SumNode((table, below), (0, 0), falls), span)
    y_node = graph.node(ShiftRight((total,), low))
    return graph.add(GraphTerm(y_node), GraphTerm(graph.constant(least))).node if least else y_node


def forms(steps: Staircase, bounds: Range) -> Iterator[StaircaseForm]:
    """The forms that a staircase can have, digits first."""
    yield StaircaseForm()
    if bounds[1] - bounds[0] >= WIDEST_SUM:
        return
    x = np.arange(bounds[0], bounds[1] + 1)
    changes = np.abs(np.diff(steps(x)))
    if changes.max(initial=0) > 1:
        return
    steps_at = x[1:][changes > 0]
    if not len(steps_at):
        yield StaircaseForm(offset=-bounds[0], low=0, last=0)
        return
    width = max(shape_of(bounds).width - WIDEST_TABLE, 0)
    yield from _aligned(steps_at, 0, width, None)
    for low in range(int(np.diff(steps_at).min(initial=1 << 30)).bit_length()):
        for e in range(0, 1 << low, max(1, (1 << low) // ALIGNMENTS)):
            offset = e - int(steps_at[0]) + 1
            last = (1 << (int(steps_at[-1]) + offset).bit_length()) - 1
            if last >> low >> WIDEST_TABLE == 0 and _single(steps_at + offset, low):
                yield StaircaseForm(offset, low, last)


def _aligned(
    steps_at: np.ndarray, offset: int, least: int, last: int | None
) -> Iterator[StaircaseForm]:
    """Tables by blocks of `least` bits or more that hold one step each."""
    low = least
    while _single(steps_at + offset, low):
        yield StaircaseForm(offset, low, last)
        low += 1


def _single(steps_at: np.ndarray, low: int) -> bool:
    """Whether no block has two steps; those at its start are none of it."""
    inside = steps_at[steps_at & ((1 << low) - 1) != 0] >> low
    return len(np.unique(inside)) == len(inside) and low < 20


def _size(steps: Staircase, bounds: Range, form: StaircaseForm) -> float:
    graph = AdderGraph([(bounds[0] + form.offset, bounds[1] + form.offset)])
    node = requantised(graph, GraphTerm(0), steps, form)
    offset_bits = shape_of(bounds).width / 2 + 1 if form.offset else 0
    return GraphPipeline(graph, [node], 1).counts.size + offset_bits
