"""Lanes of add: the adder of a distance, whose sign is its top bit."""

from __future__ import annotations

import numpy as np

from gen.cost.adder_tree import Width
from gen.cost.lanes import GraphRates, LaneCost
from gen.cost.unit_energy import ADD


class AddCost(LaneCost):
    features = ("lane_add",)
    tree = "tree_add"
    graph = GraphRates(
        adders=(0.068, 0.0, 0.077, 0.0),
        adder_bits=(0.425, 0.0, 1.181, 0.0),
        luts=(0.153, 0.0, 0.223, 0.0),
        register_bits=(0.682, 0.0, 1.656, 0.0),
    )
    own_chains = 1

    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        return max(x_bits, w_bits) + 1

    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        bits = max(x_bits, w_bits) + 1
        return ADD * bits, bits

    def digits(self, weights: np.ndarray) -> np.ndarray:
        return np.ones_like(weights)


COST = AddCost()
