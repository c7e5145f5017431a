"""Lanes of add: the adder of a distance, whose sign is its top bit."""

from __future__ import annotations

from gen.cost.adder_tree import Width
from gen.cost.lanes import LaneCost
from gen.cost.unit_energy import ADD


class AddCost(LaneCost):
    features = ("lane_add",)
    tree = "tree_add"
    own_chains = 1
    merged_registers = 1

    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        return max(x_bits, w_bits) + 1

    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        bits = max(x_bits, w_bits) + 1
        return ADD * bits, bits


COST = AddCost()
