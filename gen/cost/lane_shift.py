"""Lanes of shift: a barrel of multiplexer stages, whose last one also inverts."""

from __future__ import annotations

from gen.cost.adder_tree import Width
from gen.cost.lanes import GraphRates, LaneCost
from gen.cost.unit_energy import SHIFT


class ShiftCost(LaneCost):
    features = ("lane_shift", "lane_shift3")
    tree = "tree_shift"
    graph = GraphRates(
        adders=(0.001, 0.699, 0.12, 0.0),
        adder_bits=(0.744, 2.216, 1.275, 0.0),
        luts=(0.0, 0.0, 0.0, 9.5),
        register_bits=(0.744, 3.247, 3.157, 0.0),
    )

    def feature(self, w_bits: int) -> str:
        return self.features[w_bits <= 3]

    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        far = 1 << (w_bits - 1) >> 1
        return sum(x_bits + (far << 1) - (far >> k) for k in range(w_bits - 1))

    def within(self, x_bits: int, w_bits: int) -> int:
        # behind the first stage, which shifts by half of all exponents; the other w − 2, the sign
        return x_bits + (1 << (w_bits - 2)) + w_bits - 1

    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        # w − 1 bits of exponent: as many stages, of the widest output
        bits = x_bits + (1 << (w_bits - 1)) - 2
        return SHIFT * bits * (w_bits - 1), bits

    def constant_bits(self, w_bits: int) -> int | None:
        return w_bits


COST = ShiftCost()
