"""What a lane of each kind costs: one description a kind, found by name as gen/cost/lane_<kind>.py.

The widths of its terms are those that the hardware gives, see gen.cost.adder_tree.lane.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np

from gen.cost.adder_tree import Width
from model.kinds import KindError, kind_names, part_of


@dataclass(frozen=True)
class GraphRates:
    """What a graph of adders is made of, about: of each of rtl.wired.operations.Counts a sum of
    these times digits of weights · bits of an input, digits, and for each output with a requantiser
    the bits of its sum, and one.

    Fitted to the graphs of 92 random layers (gen.calibrate.random_layers) of 8 to 2,500
    connections.
    """

    adders: tuple[float, float, float, float]
    adder_bits: tuple[float, float, float, float]
    luts: tuple[float, float, float, float]
    register_bits: tuple[float, float, float, float]


class LaneCost(ABC):
    """Counts of one lane, one input and one weight, of an element made of LUTs.

    features: the names under which `cells` are priced, see gen.cost.features.MEANING; may be those
    of another kind, where the hardware is alike. tree: that of the bits of its adders.
    """

    features: tuple[str, ...]
    tree: str
    own_chains = 0
    """Carry chains of a lane beside those of the adder tree."""
    graph: GraphRates | None = None
    """Where weights can be wired (rtl/wired): what that takes. None: they are never wired."""

    def digits(self, weights: np.ndarray) -> np.ndarray:
        """Terms that each of some weights is in a graph of adders, before any is shared."""
        terms: np.ndarray = (weights != 0).astype(int)
        return terms

    @abstractmethod
    def cells(self, x_bits: int, w_bits: int, terms: tuple[Width, ...]) -> int:
        """LUTs that make the terms of a lane, one a bit."""

    def within(self, x_bits: int, w_bits: int) -> int:
        """Flip-flops within a lane that is staged."""
        return 0

    @abstractmethod
    def energy(self, x_bits: int, w_bits: int) -> tuple[float, int]:
        """pJ of one term, and its bits."""

    def feature(self, w_bits: int) -> str:
        """That one of `features` under which `cells` are priced."""
        return self.features[0]

    def constant_bits(self, w_bits: int) -> int | None:
        """Where the terms of constant weights are wires, or shared by lanes with the same input:
        bits of a weight that make a term. None: constants cost as much as weights from memory."""
        return None


@cache
def lane_cost(kind: str) -> LaneCost:
    """The lane of `kind`. Raises KindError that names the missing file."""
    cost: LaneCost = part_of("gen.cost", "lane_", kind).COST  # type: ignore[attr-defined]
    return cost


def lane_features() -> dict[str, float]:
    """A price of 1 for each feature of the lanes and trees of all kinds that have a cost."""
    names: set[str] = set()
    for kind in kind_names():
        try:
            cost = lane_cost(kind)
        except KindError:
            continue
        names |= {*cost.features, cost.tree}
    return dict.fromkeys(names, 1.0)
