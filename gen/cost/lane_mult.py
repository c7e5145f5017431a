"""Lanes of mult: partial products of a recoded weight, each chosen among 0, x, ~x and ~2x."""

from __future__ import annotations

import numpy as np

from gen.cost.adder_tree import Width, choices
from gen.cost.lanes import GraphRates, LaneCost
from gen.cost.unit_energy import MULTIPLY


class MultCost(LaneCost):
    features = ("lane_mult",)
    tree = "tree_mult"
    graph = GraphRates(
        adders=(0.019, 0.49, 0.093, 0.0),
        adder_bits=(0.922, 0.503, 0.707, 0.0),
        luts=(0.0, 0.004, 0.0, 10.1),
        register_bits=(0.912, 1.342, 2.44, 0.0),
    )

    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        return choices(terms, w_bits)

    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        return MULTIPLY * x_bits * w_bits, x_bits + w_bits

    def constant_bits(self, w_bits: int) -> int | None:
        return 2

    def digits(self, weights: np.ndarray) -> np.ndarray:
        sizes = np.abs(weights)
        signed: np.ndarray = np.bitwise_count(sizes ^ (3 * sizes)).astype(int)
        return signed


COST = MultCost()
