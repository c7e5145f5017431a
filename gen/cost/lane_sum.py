"""Lanes of sum, which average pooling is made of: the inputs themselves."""

from __future__ import annotations

from gen.cost.adder_tree import Width
from gen.cost.lanes import GraphRates, LaneCost


class SumCost(LaneCost):
    features = ("lane_sum",)
    tree = "tree_sum"
    graph = GraphRates(
        adders=(0.112, 0.345, 0.0, 0.0),
        adder_bits=(1.093, 0.0, 0.0, 0.0),
        luts=(0.225, 0.0, 0.0, 0.0),
        register_bits=(1.398, 0.0, 0.0, 0.0),
    )

    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        return 0

    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        return 0.0, x_bits


COST = SumCost()
