"""Rungs of successive halving."""

from __future__ import annotations

import pytest

from search.run.halving import Rung, ladder


def test_a_third_goes_on_for_longer_at_about_equal_work() -> None:
    assert ladder(30, 3, 3) == (Rung(30, 3), Rung(10, 8), Rung(4, 20))
    assert [rung.work for rung in ladder(30, 3, 3)] == [90, 80, 80]


@pytest.mark.parametrize(
    ("networks", "rungs", "left"), [(30, 1, [30]), (4, 3, [4, 2, 1]), (2, 5, [2, 1]), (1, 3, [1])]
)
def test_ends_where_there_is_nothing_to_choose(networks: int, rungs: int, left: list[int]) -> None:
    assert [rung.networks for rung in ladder(networks, 1, rungs)] == left
