"""Confusion: counts, the share right of each class, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from model.confusion import confusion


def test_counts_and_shares() -> None:
    matrix = confusion([0, 1, 1, 1, 0], [0, 0, 1, 1, 1], ("a", "b", "c"))
    assert matrix.counts == ((1, 1, 0), (1, 2, 0), (0, 0, 0))
    assert matrix.per_class == {"a": 1 / 2, "b": 2 / 3, "c": None}
    assert (matrix.total, matrix.accuracy) == (5, 3 / 5)
    assert matrix.balanced == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert matrix.worst() == [("a", "b", 1), ("b", "a", 1)]
    row = json.loads(json.dumps(matrix.as_dict()))
    assert row["counts"][1] == [1, 2, 0]
    assert row["per_class"]["c"] is None


def test_scores_are_taken_too_and_the_first_of_equals_counts() -> None:
    scores = torch.tensor([[3, 3, 1], [0, 1, 1]])
    assert confusion(scores, torch.tensor([0, 2]), "abc").counts == (
        (1, 0, 0), (0, 0, 0), (0, 1, 0),
    )  # fmt: skip
    assert confusion(np.zeros(0, int), [], "ab").accuracy == 0


def test_what_is_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match="classes 0 to 3 must be 0 to 1"):
        confusion([0, 3], [0, 1], "ab")
    with pytest.raises(ValueError, match=r"said \(2,\) must be \(N,\) or \(N, 2\), labels \(3,\)"):
        confusion([0, 1], [0, 1, 1], "ab")
