"""Recipes: what suits a data set, what is chosen, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from model.data import Dataset
from model.recipe import (
    Recipe,
    RecipeError,
    choose,
    class_weights,
    epochs_for,
    loss_of,
    recipe_for,
    threads,
)
from tests.support.datasets import BARS


def of_size(count: int, *shape: int, **how: Any) -> Dataset:
    data = replace(BARS, train_labels=np.zeros(count, np.int64), train_images=np.zeros((1, *shape)))
    return replace(data, **how)


def test_images() -> None:
    assert recipe_for(BARS, 5000) == Recipe(batch=64, shift=1)
    large = of_size(60_000, 28, 28, 1, flips=True)
    assert recipe_for(large, 5000) == Recipe(batch=128, shift=2, flips=True)
    assert recipe_for(large, 500).shift == 0
    assert recipe_for(of_size(100, 1, 128, 1), 5000).shift == 0  # nowhere to move to


def test_tables_are_neither_moved_nor_mirrored() -> None:
    few, many = (of_size(n, 1, 1, 16, table=True, flips=True) for n in (500, 16_000))
    for data in (few, many):
        recipe = recipe_for(data, 12_000)
        assert (recipe.shift, recipe.flips) == (0, False)
    assert (recipe_for(few, 900).batch, recipe_for(many, 900).batch) == (32, 128)
    letters = replace(few, classes=tuple("abcdefghijklmnopqrstuvwxyz"))
    assert [recipe_for(data, 900).smoothing for data in (few, letters, many)] == [0.3, 0.0, 0.0]
    assert (epochs_for(few), epochs_for(letters)) == (30, 60)
    with pytest.raises(RecipeError, match="--shift: bars is a table, whose features cannot be"):
        recipe_for(few, 900, shift=1)
    with pytest.raises(RecipeError, match="--flips: bars is a table"):
        recipe_for(few, 900, flips=True)


def test_what_is_chosen_counts() -> None:
    chosen = recipe_for(BARS, 5000, shift=2, flips=True, batch=8, rate=0.1, smoothing=None)
    assert chosen == Recipe(batch=8, rate=0.1, shift=2, flips=True)
    assert choose(Recipe(), BARS, weighted=True) == Recipe(weighted=True)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"batch": 1}, "--batch 1: must be at least 2, as batch norm needs two images"),
        ({"rate": float("nan")}, "--rate nan: must be 0 to 10"),
        ({"sparsity": -1.0}, "--sparsity -1.0: must be 0 to 100"),
        ({"smoothing": 1.0}, "--smoothing 1.0: must be at least 0 and less than 1"),
        ({"shift": -1}, "--shift -1: must be at least 0"),
        ({"shift": 6}, "--shift 6: must be less than the 6 pixels of bars's images"),
        ({"colour": 1}, "colour: no setting; they are batch, rate, "),
    ],
)
def test_what_is_refused(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as error:
        recipe_for(BARS, 5000, **chosen)
    assert str(error.value).startswith(message)


def test_epochs_make_enough_steps() -> None:
    assert epochs_for(of_size(1437, 8, 8, 1)) == epochs_for(of_size(60_000, 28, 28, 1)) == 60
    assert epochs_for(of_size(455, 1, 1, 30, table=True)) == 30
    assert epochs_for(of_size(142, 1, 1, 13, table=True)) == 90
    assert epochs_for(of_size(16_000, 1, 1, 16, table=True)) == 60
    assert epochs_for(of_size(10, 8, 8, 1)) == 400


def test_classes_that_count_alike() -> None:
    labels = np.array([0] * 9 + [1])
    weights = class_weights(labels, 2)
    assert weights.tolist() == pytest.approx([10 / 18, 10 / 2])
    scores, one = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
    plain, balanced = (loss_of(scores, one, None, Recipe(), w) for w in (None, weights))
    assert balanced > plain  # the rare class is the wrong one


def test_threads_are_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
