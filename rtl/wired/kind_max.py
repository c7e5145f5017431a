"""Max: the largest x, for maximum pooling; weights are not looked at."""

from __future__ import annotations

from collections.abc import Sequence

from rtl.wired.connections import Connections
from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Largest, Range
from rtl.wired.sharing import shared_sums


def sums(
    graph: AdderGraph, connections: Connections, offsets: Sequence[int], bounds: Sequence[Range]
) -> list[GraphTerm]:
    """The largest input of each output, plus its offset. See rtl.wired.connections."""
    largest = [[GraphTerm(_largest(graph, [i for i, _ in row]))] for row in connections]
    return shared_sums(graph, largest, offsets=offsets, bounds=bounds)


def reach(row: Sequence[tuple[int, int]], x: Range) -> Range:
    """Least and largest result."""
    return x


def _largest(graph: AdderGraph, nodes: list[int]) -> int:
    """Neighbours first, so that windows which overlap have pairs in common."""
    while len(nodes) > 1:
        pairs = zip(nodes[::2], nodes[1::2], strict=False)
        merged = [graph.node(Largest((a, b))) for a, b in pairs]
        nodes = merged + nodes[2 * len(merged) :]
    return nodes[0]
