"""Lanes of max, which maximum pooling over overlapping windows is made of."""

from __future__ import annotations

from gen.cost.lane_sum import SumCost
from gen.cost.lanes import GraphRates


class MaxCost(SumCost):
    features = ("lane_max",)
    tree = "tree_max"
    graph = GraphRates(
        adders=(0.0, 0.75, 0.0, 0.0),
        adder_bits=(0.75, 0.0, 0.0, 0.0),
        luts=(0.75, 0.0, 0.0, 0.0),
        register_bits=(0.75, 0.0, 0.0, 0.0),
    )


COST = MaxCost()
