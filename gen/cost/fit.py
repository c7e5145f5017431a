"""Prices from measurements: non-negative least squares with a pull towards expected prices.

Where the measurements say little about a feature (two that always come together, one that hardly
ever comes) its price stays near START, so that sums of prices hold for networks unlike those that
were measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gen.cost.lanes import lane_features

START: dict[str, dict[str, float]] = {
    "lut": {
        "lane_mult": 1, "lane_shift": 1, "lane_shift3": 1, "lane_add": 1, "lane_requant": 1,
        "tree_mult": 1, "tree_shift": 1, "tree_add": 1, "tree_max": 1.5, "tree_sum": 1,
        "tree_requant": 1, "chains": 1, "clip": 1, "drain": 1, "outlet": 1, "convert": 1,
        "wired_bits": 1, "wired_chains": 1, "wired_lut": 1,
        "rom": 1.5, "table": 1, "address": 3, "counter": 3, "flow": 6, "inside": 2,
        "engine": 30, "pool": 50, "head": 80,
    },
    "ff": {
        "register": 1, "lone": 1, "dsp_reg": 0.5, "bram_reg": 0.7, "ram_ff": 1, "counter": 0,
        "address": 0, "flow": 0, "inside": 0, "engine": 0, "pool": 0, "head": 0, "rom": 0,
        "ram16x4": 0,
    },
    "clock": {"base": 800, "use": 300, "pool_ram": 100},
}  # fmt: skip
"""The expected price of a feature on every family: a LUT for a bit of logic. clock: see
gen.cost.fmax."""
OWN: dict[tuple[str, str], dict[str, float]] = {
    ("lut", "ecp5"): {"ram16x4": 4, "ram_mux": 0.5},
    ("lut", "ice40"): {"ram_ff": 1.6, "lone": 1, "bram_reg": 1, "dsp_reg": 0.5, "register": 0},
    ("lut", "gowin"): {"ram16x4": 8, "ram_mux": 0.5},
    ("ff", "gowin"): {"ram16x4": 6},
    ("clock", "ecp5"): {"pool_ram": 800},
    ("clock", "ice40"): {"use": 100, "pool_ram": 0},
    ("clock", "gowin"): {"base": 480},
    ("ff", "ecp5"): {"dsp_reg": 0, "bram_reg": 0},
}
"""Expected prices that differ on one family. iCE40 spends a logic cell on a flip-flop without logic
before it; for Gowin's memories see gen.flow.place.RESOURCES."""
LOOSE = {"ff": {"counter": 2, "address": 2, "flow": 2, "inside": 2, "engine": 20, "pool": 20,
                "head": 20}}  # fmt: skip
"""How far a price may lie from START where that is 0."""
LEAST = {"lut": 0.3, "ff": 0.1, "clock": 10}
PULL = {"lut": 0.03, "ff": 0.03, "clock": 30.0}
"""Weight of an expectation against a measured design; clocks scatter by as much as a model could
tell of them."""
DECIMALS = 4
"""Of a price."""
SMALL = 50
"""Counts below which errors are not relative."""


@dataclass(frozen=True)
class CostSample:
    """One measured layer or network: its features, and `lut`, `ff`, `clock` as far as measured.

    clock: see gen.cost.fmax.slowness. weight: in fits, against a layer.
    """

    features: Mapping[str, float]
    measured: Mapping[str, float]
    weight: float = 1.0


def expected(figure: str, family: str) -> dict[str, float]:
    """START with what is the family's own, and a LUT for a bit of a further kind of operator."""
    kinds = lane_features() if figure == "lut" else {}
    return kinds | START[figure] | OWN.get((figure, family), {})


def fit(
    samples: Sequence[CostSample], figure: str, start: Mapping[str, float], family: str
) -> dict[str, float]:
    """Prices of least relative error over the samples with that figure, near those of `start`."""
    from scipy.optimize import nnls  # slow to import, and a search may do without

    names = sorted(start)
    near = np.array([start[n] for n in names])
    usual = expected(figure, family)
    samples = [s for s in samples if figure in s.measured]
    reach = np.array([_reach(figure, n, usual.get(n, 0.0)) for n in names])
    counts = np.array([s.measured[figure] for s in samples], dtype=float)
    weight = np.array([s.weight for s in samples]) / np.maximum(counts, SMALL)
    matrix = np.array([[s.features.get(n, 0) for n in names] for s in samples], dtype=float)
    matrix = matrix.reshape(-1, len(names))
    pull = np.sqrt(PULL[figure]) / reach
    rows = np.vstack([matrix * weight[:, None], np.diag(pull)])
    price, _ = nnls(rows, np.concatenate([counts * weight, near * pull]))
    return {n: round(float(p), DECIMALS) for n, p in zip(names, price, strict=True)}


def _reach(figure: str, name: str, usual: float) -> float:
    return max(usual, LOOSE.get(figure, {}).get(name, LEAST[figure]))


def errors(samples: Sequence[CostSample], prices: Mapping[str, float], figure: str) -> list[float]:
    """Error of each sample in percent, positive where the prices give too much."""
    percents = []
    for s in samples:
        real = s.measured[figure]
        percents.append(100 * (total(s.features, prices) - real) / max(real, SMALL))
    return percents


def total(features: Mapping[str, float], prices: Mapping[str, float]) -> float:
    """Sum of counts times prices; features without a price are free."""
    return sum(prices.get(name, 0.0) * count for name, count in features.items())
