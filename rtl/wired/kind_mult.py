"""Mult: sums of w·x, from the signed digits of the weights. Equals `mult` in the golden model."""

from __future__ import annotations

from collections.abc import Sequence

from rtl.scale import signed_digits
from rtl.wired.connections import Connections
from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Range
from rtl.wired.sharing import shared_sums


def sums(
    graph: AdderGraph, connections: Connections, offsets: Sequence[int], bounds: Sequence[Range]
) -> list[GraphTerm]:
    """The sum of each output. See rtl.wired.connections."""
    rows = [
        [GraphTerm(i, places, negative) for i, w in row for negative, places in signed_digits(w)]
        for row in connections
    ]
    return shared_sums(graph, rows, offsets=offsets, bounds=bounds)


def reach(row: Sequence[tuple[int, int]], x: Range) -> Range:
    """Least and largest sum."""
    ends = [sorted(w * end for end in x) for _, w in row]
    return sum(lo for lo, _ in ends), sum(hi for _, hi in ends)
