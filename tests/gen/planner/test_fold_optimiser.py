"""The choice of folds leaves nothing idle that would save LUTs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gen.plan.lower import lower
from gen.plan.plan import Cost
from gen.planner.fold_optimiser import FoldOptimiser, ResourceBudget, total
from gen.support.devices import device
from model.spec import Network
from model.store import load
from tests.support.paths import DIGITS_HYBRID

LUTS = 45
"""What one layer may still save: what the converters and widths between layers decide."""


def row(cost: Cost) -> np.ndarray:
    return np.array([cost.lut, cost.ff, cost.dsp, cost.bram])


@pytest.fixture(scope="module")
def network() -> Network:
    return load(DIGITS_HYBRID)


@pytest.mark.parametrize("cycles", [27_648, 6_912, 2_304])
@pytest.mark.parametrize("dsps", [2, 5, 28])
def test_no_layer_saves_luts_with_what_is_left(network: Network, dsps: int, cycles: int) -> None:
    target = device("ulx3s-25f")
    optimiser, budget = FoldOptimiser(lower(network), target), ResourceBudget.of(target, dsps)
    chosen = optimiser.choose(budget, cycles)
    used = total(chosen)
    assert budget.exceeded(used) is None
    has = np.array([budget.lut, budget.ff, budget.dsp, budget.bram])
    price = np.array([1.0, 0, 0, 0])
    for i, (offer, mine) in enumerate(zip(optimiser.offers, chosen, strict=True)):
        other = offer.best(price, cycles, has - row(used) + row(mine.cost))
        tried = total(optimiser._aligned([*chosen[:i], other, *chosen[i + 1 :]], cycles))
        assert budget.exceeded(tried) or used.lut <= tried.lut + LUTS, offer.layer.name


def test_multipliers_and_blocks_that_are_there_save_luts(network: Network) -> None:
    target = device("ulx3s-25f")
    optimiser, budget = FoldOptimiser(lower(network), target), ResourceBudget.of(target)
    luts = [
        total(optimiser.choose(replace(budget, dsp=dsp, bram=bram), 2304)).lut
        for dsp, bram in ((0, 4), (4, 4), (4, 20), (28, 56))
    ]
    assert luts == sorted(luts, reverse=True)
    assert luts[-1] < 0.8 * luts[0]


def test_what_is_fastest_fits_and_less_of_a_device_is_no_faster(network: Network) -> None:
    target = device("up5k")
    optimiser, budget = FoldOptimiser(lower(network), target), ResourceBudget.of(target)
    slowest = []
    for share in (1.0, 0.8, 0.6):
        part = replace(budget, lut=share * budget.lut)
        chosen = optimiser.choose(part)
        assert part.exceeded(total(chosen)) is None
        slowest.append(max(o.cycles for o in chosen))
    assert slowest == sorted(slowest)
