"""Whatever is drawn: the operators of a space stay inside it, and one network has one form."""

from __future__ import annotations

import json
import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from search.space import space_files
from search.space.space import Candidate, Space, StageChoice
from tests.support.strategies import SEEDS

SPACES = {name: space_files.load(name) for name in ("8x8", "28x28", "32x32")}
KINDS = st.sets(st.sampled_from(("mult", "shift", "add")), min_size=1).map(sorted)
RATES = st.floats(0.05, 1)


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """A built-in space, whole or with some kinds only."""
    return SPACES[draw(st.sampled_from(list(SPACES)))].restrict(draw(KINDS))


@given(spaces(), SEEDS, RATES)
def test_children_stay_in_the_space(space: Space, seed: int, rate: float) -> None:
    rng = random.Random(seed)
    a, b = space.sample(rng), space.sample(rng)
    mutant, crossed = space.mutate(a, rng, rate), space.crossover(a, b, rng)
    assert mutant != a
    for candidate in (a, b, mutant, crossed):
        assert candidate in space
        space.architecture(candidate)  # validated
    for stage, *parents in zip(crossed.stages, a.stages, b.stages, strict=True):
        assert stage in parents


@given(spaces(), SEEDS)
def test_equal_networks_are_equal_candidates(space: Space, seed: int) -> None:
    rng = random.Random(seed)
    a = space.sample(rng)
    b = space.mutate(a, rng, 0.05)
    assert space.id(a) != space.id(b)
    again = Candidate.from_dict(json.loads(json.dumps(a.as_dict())))
    assert again == a
    assert space.id(again) == space.id(a)


@given(spaces(), SEEDS, st.integers(1, 99))
def test_stage_without_layers_has_one_form(space: Space, seed: int, channels: int) -> None:
    candidate = space.sample(random.Random(seed))
    for i, stage in enumerate(candidate.stages):
        if stage.layers:
            continue
        assert (stage.channels, stage.reduce == "stride") == (0, False)
        stages = list(candidate.stages)
        stages[i] = StageChoice(stage.reduce, channels, ())
        assert replace(candidate, stages=tuple(stages)) not in space
