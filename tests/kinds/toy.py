"""A kind that nobody needs: term(x, w) = the smaller of x and w. Its files, by their place."""

from __future__ import annotations

NAME = "least"
LANE = "gen/cost/lane_least.py"
FILES = {
    "model/kind_least.py": """
import numpy as np
from model.kind_mult import MultKind

class LeastKind(MultKind):
    name = "least"
    unit = "add"
    order = 9
    calibrated_bits = ()
    linear = plain = False

    def bounds(self, weights, lo, hi):
        w = weights.astype(np.int64)
        return np.minimum(w, lo).sum(1), np.minimum(w, hi).sum(1)

KIND = LeastKind()
""",
    "model/ops_least.py": """
import torch
from model.ops_add import AddOps, _over_windows

def _least(x, w):
    return torch.minimum(x[:, None, :], w).sum(-1)

class LeastOps(AddOps):
    @torch.no_grad()
    def integer(self, x, w, stride, pad, depthwise):
        return _over_windows(_least, x, w, stride, pad, depthwise)

    def trainable(self, x, w, stride, pad, depthwise):
        return _over_windows(_least, x, w, stride, pad, depthwise)

OPS = LeastOps()
""",
    "rtl/pe/least.py": """
from amaranth import Mux, Signal
from rtl.pe.element import PE
from rtl.terms import Term, signed_for

class LeastPE(PE):
    def encode(self, weight):
        return weight % (1 << self.w_bits)

    def terms(self, m, x, w):
        end = 1 << (self.w_bits - 1)
        lo, hi = min(self.x_range[0], -end), min(self.x_range[1], end - 1)
        value = Signal(signed_for(lo, hi, self.acc_bits))
        m.d.comb += value.eq(Mux(x < w.as_signed(), x, w.as_signed()))
        return [Term(value, lo, hi)]

ELEMENT = LeastPE
""",
    LANE: """
from gen.cost.lanes import LaneCost
from gen.cost.unit_energy import ADD

class LeastCost(LaneCost):
    features = ("lane_add",)
    tree = "tree_sum"

    def cells(self, x_bits, w_bits, terms):
        return 2 * max(x_bits, w_bits)

    def energy(self, x_bits, w_bits):
        return ADD * max(x_bits, w_bits), max(x_bits, w_bits)

COST = LeastCost()
""",
    "sim/formal/reference_least.py": """
from amaranth.hdl import Mux
from sim.formal.reference import Reference, twos

REFERENCE = Reference(twos, lambda x, w: Mux(x < w.as_signed(), x, w.as_signed()))
""",
}
"""Files of the kind, as docs/kinds.md asks for them."""
