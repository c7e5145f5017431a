"""FoldArray as arrays: the same as one by one, and nothing made twice."""

from __future__ import annotations

import numpy as np

from gen.calibrate.characterise import case
from gen.plan.fold_array import FeatureCounts, FoldArray, billed, bit_length, tabled, where
from gen.plan.plan import Fold
from gen.planner.fold_candidates import folds
from gen.support.devices import device

SOME = [
    Fold(pe=4, lanes=2, out_lanes=2, multiplier="dsp", line_buffer="block"),
    Fold(),
    Fold(pe=4, lanes=2),
]


def test_foldings_hold_what_they_were_made_of() -> None:
    array = FoldArray.of(SOME)
    assert [array[i] for i in range(len(array))] == SOME
    assert all(type(n) in (int, str, bool) for n in vars(array[0]).values())


def test_every_layer_offers_each_folding_once() -> None:
    for seed in range(12):
        layer, target, _ = case("ecp5", seed)
        offered = folds(layer, target)
        assert len(set(offered)) == len(offered) > 0
    assert folds(layer, device("up5k")) != offered


def test_equal_foldings_are_counted_once() -> None:
    array, asked = FoldArray.of(SOME), []

    def made(pe: int, lanes: int) -> tuple[int, int]:
        asked.append((pe, lanes))
        return 10 * pe, lanes

    assert tabled(made, array.pe, array.lanes).tolist() == [[40, 10, 40], [2, 1, 2]]
    assert sorted(asked) == [(1, 1), (4, 2)]
    bill = billed(
        lambda pe: FeatureCounts(outlet=pe) if pe > 1 else FeatureCounts(drain=1), array.pe
    )
    assert {n: count.tolist() for n, count in bill.items()} == {
        "outlet": [4, 0, 4],
        "drain": [0, 1, 0],
    }


def test_bills_add_up_and_are_chosen_from() -> None:
    bill = FeatureCounts(outlet=np.array([1, 2])).add(outlet=1, drain=np.array([5, 6]))
    chosen = where(np.array([True, False]), bill, FeatureCounts(head=7))
    assert {name: count.tolist() for name, count in chosen.items()} == {
        "outlet": [2, 0],
        "drain": [5, 0],
        "head": [0, 7],
    }


def test_bit_length() -> None:
    numbers = [0, 1, 2, 3, 4, 255, 256, (1 << 40) - 1, 1 << 40]
    assert bit_length(np.array(numbers)).tolist() == [n.bit_length() for n in numbers]
