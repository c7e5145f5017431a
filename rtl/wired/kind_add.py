"""Add: sums of −|x − w|, without a difference. Equals `add` in the golden model.

For x ≥ 0 it is −|x − w| = w − x − 2·max(0, w − x): the sum of all x is shared by the outputs that
have the same inputs, that of all w is a constant, and the excess of w over x is a function of few
bits, 0 for w ≤ 0, and shared by the outputs that have the same weight at the same input. A signed x
counts from its least value, as does w.
"""

from __future__ import annotations

from collections.abc import Sequence

from rtl.wired.connections import Connections
from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Clamp, Lookup, Range, Recentre, SumNode
from rtl.wired.sharing import shared_sums

LUT_BITS = 4
"""Inputs of a LUT: functions of no more bits cost one a bit of their result."""
TABLE_BITS = 5
"""Beyond, a difference whose negative values are masked takes less than a table."""


def sums(
    graph: AdderGraph, connections: Connections, offsets: Sequence[int], bounds: Sequence[Range]
) -> list[GraphTerm]:
    """The sum of each output. See rtl.wired.connections."""
    if any(lo < 0 for lo, _ in graph.bounds[: graph.inputs]):
        connections = tuple(
            tuple((i, w - graph.bounds[i][0]) for i, w in row) for row in connections
        )
    x = [_unsigned(graph, i) for i in range(graph.inputs)]
    inputs = [tuple(sorted(i for i, _ in row)) for row in connections]
    apart = sorted(set(inputs))
    totals = shared_sums(graph, [[GraphTerm(x[i]) for i in group] for group in apart])
    total_of = dict(zip(apart, totals, strict=True))
    rows = [
        [GraphTerm(total_of[group].node, total_of[group].shift, True)]
        + [term for i, w in row for term in _excess(graph, x[i], w)]
        for group, row in zip(inputs, connections, strict=True)
    ]
    constants = [
        offset + sum(w for _, w in row) for offset, row in zip(offsets, connections, strict=True)
    ]
    return shared_sums(graph, rows, offsets=constants, bounds=bounds)


def reach(row: Sequence[tuple[int, int]], x: Range) -> Range:
    """Least and largest sum."""
    lo, hi = x
    least = -sum(max(abs(lo - w), abs(hi - w)) for _, w in row)
    return least, -sum(max(0, lo - w, w - hi) for _, w in row)


def _unsigned(graph: AdderGraph, node: int) -> int:
    """An input counted from the least value of its format."""
    lo, hi = graph.bounds[node]
    if lo >= 0:
        return node
    bits = max(hi, ~lo).bit_length() + 1
    return graph.node(Recentre((node,), bits))


def _excess(graph: AdderGraph, x: int, w: int) -> list[GraphTerm]:
    """−2·max(0, w − x) as terms, none if it is 0. Beyond all x it is 2x, and −2w a constant."""
    if w <= 0:
        return []
    _, top = graph.bounds[x]
    bits = max(LUT_BITS, w.bit_length())
    if bits < top.bit_length():
        top = (1 << bits) - 1
        x = graph.node(Clamp((x,), 0, top))
    if top.bit_length() <= TABLE_BITS:
        values = tuple(max(0, w - value) for value in range(top + 1))
        return [GraphTerm(graph.node(Lookup((x,), values)), 1, True)]
    difference = graph.node(SumNode((graph.constant(w), x), (0, 0), True))
    return [GraphTerm(graph.node(Clamp((difference,), 0, w)), 1, True)]
