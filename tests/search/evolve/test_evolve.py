"""Evolution: better than chance, the same for the same seed, and never the same point twice."""

from __future__ import annotations

import random
from itertools import islice

import numpy as np
import pytest

from search.evolve.evolve import Evolution, front, smallest
from search.evolve.objectives import NO_LIMITS, SHARES, Genome, Limits, Score
from search.results.hypervolume import Box, reference, row, spread
from search.space import space_files
from search.space.space import Space
from tests.support.search_fakes import landscape

SPACE = space_files.load("28x28")


def told(space: Space, evolution: Evolution) -> list[Score]:
    """What the next generation scores."""
    return [landscape(space, Genome(one, share)) for one in evolution.ask() for share in SHARES]


def run(
    sampler: str, seed: int, *, limits: Limits = NO_LIMITS, population: int = 24, count: int = 10
) -> list[Score]:
    evolution = Evolution(SPACE, limits, population=population, seed=seed, sampler=sampler)
    scores: list[Score] = []
    for _ in range(count):
        generation = told(SPACE, evolution)
        evolution.tell(generation)
        scores += generation
    assert len({s.genome for s in scores}) == len(scores) == population * count * len(SHARES)
    return scores


def test_same_seed_same_points() -> None:
    keys = [[score.key for score in run("evolution", seed)] for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]


def test_beats_random_sampling() -> None:
    searches = {
        sampler: [run(sampler, seed) for seed in range(3)] for sampler in ("evolution", "random")
    }
    rows = [s.objectives() for scores in searches["random"] for s in scores]
    box = Box.around(rows, SPACE.classes)
    volumes = {
        sampler: [box.volume(s.objectives() for s in scores) for scores in several]
        for sampler, several in searches.items()
    }
    assert min(volumes["evolution"]) > max(volumes["random"]), volumes


def test_limits_decide_before_objectives() -> None:
    limits = Limits(max_latency_us=100, max_luts=400)
    free, bound = (run("evolution", 5, limits=li) for li in (NO_LIMITS, limits))
    within = [sum(not score.violation(limits) for score in scores) for scores in (free, bound)]
    assert within[1] > 1.5 * within[0], "the limit steers the search"
    for score in front(bound, limits):
        assert score.predicted["latency_us"] <= 100
        assert score.predicted["lut"] <= 400


def test_front_is_what_nothing_beats() -> None:
    rng = random.Random(4)
    scores = [landscape(SPACE, Genome(SPACE.sample(rng), rng.choice(SHARES))) for _ in range(80)]
    rows = {s.key: np.array(s.objectives()) for s in scores}
    dominated = {
        k for k, r in rows.items() for o in rows.values() if (o <= r).all() and (o < r).any()
    }
    assert {s.key for s in front(scores, NO_LIMITS)} == set(rows) - dominated
    assert 0 < len(dominated) < 80
    lost = Score("x", "x", scores[0].genome, None, False, "does not fit")
    assert front([lost], NO_LIMITS) == []


def test_survivors_go_into_the_next_round() -> None:
    first = Evolution(SPACE, NO_LIMITS, population=8, seed=0)
    first.tell(told(SPACE, first))
    second = Evolution(SPACE, NO_LIMITS, population=8, seed=1, start=first.survivors)
    assert set(second.ask()) >= set(first.survivors)


def test_ends_when_the_space_is_used_up() -> None:
    small = SPACE.restrict(["shift"])
    tiny = type(small)(
        **{f: getattr(small, f) for f in ("name", "shape", "classes", "input_bits", "act_bits")},
        score_bits=10, first_channels=(4,), first=small.first[:1], stages=(), heads=("flatten",),
        last=small.last,
    )  # fmt: skip
    evolution = Evolution(tiny, NO_LIMITS, population=4, seed=0)
    seen: list[Score] = []
    for _ in range(50):
        if not (generation := told(tiny, evolution)):
            break
        evolution.tell(generation)
        seen += generation
    assert len({s.genome for s in seen}) == len(seen) == tiny.size * len(SHARES)


@pytest.mark.parametrize("name", space_files.built_in())
def test_smallest_belongs_to_its_space(name: str) -> None:
    space = space_files.load(name)
    for kind in space.kinds:
        least = smallest(space, kind)
        assert least in space
        assert set(least.kinds) <= {kind}


def test_begins_with_the_ends_of_each_kind() -> None:
    asked = Evolution(SPACE, NO_LIMITS, population=24, seed=3).ask()
    for kind in SPACE.kinds:
        assert {SPACE.largest(kind), smallest(SPACE, kind)} <= set(asked)


def test_unknown_sampler() -> None:
    with pytest.raises(ValueError, match="--sampler best: must be one of evolution, random"):
        Evolution(SPACE, NO_LIMITS, population=4, seed=0, sampler="best")


def test_spread_takes_the_ends() -> None:
    rows = [[-0.9, 3.0], [-0.5, 0.0], [-0.89, 2.9], [-0.7, 1.0], [-0.69, 1.0]]
    assert next(spread(rows, 10)) == 0
    assert set(islice(spread(rows, 10), 3)) == {0, 1, 3}
    assert sorted(spread(rows, 10)) == [0, 1, 2, 3], "the last one adds nothing"


def test_spread_is_greedy() -> None:
    draw = np.random.default_rng(7)
    rows = (-draw.random((40, 4))).tolist()
    high = reference(rows, 10)
    box = Box(tuple(np.min(rows, 0)), tuple(high))
    chosen = list(islice(spread(rows, 10), 6))
    for n in range(1, 6):
        sizes = {i: box.volume([rows[j] for j in (*chosen[:n], i)]) for i in range(40)}
        assert sizes[chosen[n]] == pytest.approx(max(sizes.values()))


def test_hypervolume_by_hand() -> None:
    box = Box((-1.0, 0.0), (0.0, 2.0))
    assert box.volume([[-0.5, 1.0]]) == pytest.approx(0.25)
    assert box.volume([[-0.5, 1.0], [-1.0, 1.5]]) == pytest.approx(0.25 + 0.125)
    assert box.volume([[-0.5, 3.0]]) == box.volume([]) == 0, "outside counts nothing"


def test_half_the_errors_are_worth_half_the_luts() -> None:
    costs = {"latency_us": 8.0, "lut": 100.0, "energy_nj": 1.0}
    one = row(0.9, costs)
    assert row(0.95, costs)[0] - one[0] == pytest.approx(row(0.9, costs | {"lut": 50})[2] - one[2])
    assert row(1.0, costs) == row(0.9999, costs), "of some hundreds of images"
