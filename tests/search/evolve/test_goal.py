"""What a search is for decides which networks are trained and built."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import islice
from math import log

import pytest

from model.errors import RequestError
from search.evolve.goal import Goal
from search.evolve.objectives import SHARES, Genome, Score
from search.results.hypervolume import Box, reference, row
from search.results.results import OBJECTIVES
from search.space import space_files
from tests.support.search_fakes import landscape

SPACE = space_files.load("28x28")


def point(name: str, accuracy: float, lut: float, other: float = 100.0) -> Score:
    """A scored point with equal latency and energy."""
    made = landscape(SPACE, Genome(SPACE.sample(random.Random(name)), SHARES[0]))
    costs = dict.fromkeys(OBJECTIVES, other) | {"lut": lut}
    return replace(made, key=name, id=name, accuracy=accuracy, predicted=costs)


POINTS = [
    point("small", 0.52, 700), point("weak", 0.80, 1500, 80), point("middle", 0.88, 3000, 90),
    point("good", 0.90, 5000), point("best", 0.925, 8000),
]  # fmt: skip


def names(goal: Goal) -> list[str]:
    return [score.key for score in goal.order(POINTS, 10)]


def test_raising_the_best_is_worth_more_than_a_network_that_nobody_wants() -> None:
    """The case that the former reference point got wrong: chance, and twice the highest costs."""
    rows = {p.key: row(p.accuracy or 0.0, p.predicted) for p in POINTS}
    box = Box.around(rows.values(), 10)
    whole = box.volume(rows.values())
    worth = {name: whole - box.volume(r for n, r in rows.items() if n != name) for name in rows}
    assert worth["small"] == 0
    assert worth["weak"] == 0, "2.7 times the errors of the best"
    assert worth["best"] == max(worth.values())


def test_reference_is_twice_the_errors_and_ten_times_the_costs_of_the_front() -> None:
    rows = [row(0.9, dict.fromkeys(OBJECTIVES, n)) for n in (10.0, 20.0)]
    rows.append(row(0.95, dict.fromkeys(OBJECTIVES, 15.0)))
    rows.append(row(0.2, dict.fromkeys(OBJECTIVES, 900.0)))  # dominated
    assert reference(rows, 10) == pytest.approx([log(0.1), *[log(150)] * 3])
    assert reference(rows, 10, min_accuracy=0.8) == pytest.approx([log(0.2), *[log(150)] * 3])
    assert reference([row(0.3, dict.fromkeys(OBJECTIVES, 1.0))], 2)[0] == pytest.approx(log(0.5))


def test_a_third_of_a_front_is_by_accuracy() -> None:
    assert names(Goal())[0] == "best"
    assert "small" not in names(Goal())[:3]


def test_the_best_that_fits_comes_first_where_accuracy_is_wanted() -> None:
    assert list(islice(Goal("accuracy").order(POINTS, 10), 2)) == [POINTS[4], POINTS[3]]


def test_the_smallest_that_is_accurate_enough() -> None:
    assert names(Goal("smallest", 0.85))[:2] == ["middle", "good"]
    assert names(Goal("smallest", 0.95))[0] == "best", "none is: the nearest first"


def test_where_nothing_adds_anything_the_most_accurate_go_on() -> None:
    """Two points lie beyond twice the best error and add no hypervolume."""
    assert sorted(names(Goal())) == sorted(p.key for p in POINTS)
    assert names(Goal())[-2:] == ["weak", "small"]


def test_by_accuracy_alone_counts_what_others_beat_and_one_point_of_each_network() -> None:
    """Nearly the best at higher cost may be the best when trained longer; a share is no network."""
    beaten = point("beaten", 0.92, 9000, 200)
    shares = [replace(POINTS[4], key=f"best-{n}", predicted=dict.fromkeys(OBJECTIVES, 9000 + n))
              for n in (1, 2)]  # fmt: skip
    order = Goal("accuracy").order(
        POINTS, 10, among=[*shares, beaten, *POINTS], networks=True, skip=["good"]
    )
    found = [one.id for one in order]
    assert found[:2] == ["best", "beaten"]
    assert sorted(found) == ["beaten", "best", "middle", "small", "weak"]
    assert list(Goal().order([], 10)) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("best",), "--goal best: must be one of front, accuracy, smallest"),
        (("smallest",), "--goal smallest: say what is accurate enough"),
        (("front", 92.5), "--min-accuracy 92.5: a fraction between 0 and 1"),
    ],
)
def test_refuses(given: tuple[str, float | None], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Goal(*given)
