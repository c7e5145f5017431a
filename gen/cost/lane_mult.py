"""Lanes of mult: partial products of a recoded weight, each chosen among 0, x, ~x and ~2x."""

from __future__ import annotations

from gen.cost.adder_tree import Width, choices
from gen.cost.lanes import LaneCost
from gen.cost.unit_energy import MULTIPLY


class MultCost(LaneCost):
    features = ("lane_mult",)
    tree = "tree_mult"

    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        return choices(terms, w_bits)

    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        return MULTIPLY * x_bits * w_bits, x_bits + w_bits

    def constant_bits(self, w_bits: int) -> int | None:
        return 2


COST = MultCost()
