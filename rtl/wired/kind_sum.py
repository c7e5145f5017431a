"""Sum: sums of x, for average pooling; weights are not looked at."""

from __future__ import annotations

from collections.abc import Sequence

from rtl.wired import kind_mult
from rtl.wired.connections import Connections
from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Range


def sums(
    graph: AdderGraph, connections: Connections, offsets: Sequence[int], bounds: Sequence[Range]
) -> list[GraphTerm]:
    """The sum of each output. See rtl.wired.connections."""
    ones = tuple(tuple((i, 1) for i, _ in row) for row in connections)
    return kind_mult.sums(graph, ones, offsets, bounds)


def reach(row: Sequence[tuple[int, int]], x: Range) -> Range:
    """Least and largest sum."""
    return len(row) * x[0], len(row) * x[1]
