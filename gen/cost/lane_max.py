"""Lanes of max, which maximum pooling over overlapping windows is made of."""

from __future__ import annotations

from gen.cost.lane_sum import SumCost


class MaxCost(SumCost):
    features = ("lane_max",)
    tree = "tree_max"


COST = MaxCost()
