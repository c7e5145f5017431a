"""What inherited accuracies are worth: the line through probes."""

from __future__ import annotations

import math
import random

import pytest

from model.net import Net
from search.evolve.predictor import (
    AS_INHERITED,
    FEWEST,
    CalibrationSample,
    Inherited,
    Predictor,
    probes,
)
from search.space import space_files

SPACE = space_files.load("8x8")


def made(count: int, *, add: float, noise: float = 0.0, seed: int = 0) -> list[CalibrationSample]:
    """Probes whose training gains one logit, and `add` more with every layer an add layer."""
    rng = random.Random(seed)
    errors = []
    for i in range(count):
        kinds = tuple(rng.choices(("mult", "shift", "add"), k=1 + i % 3))
        before, weights = rng.uniform(0.5, 0.9), round(10 ** rng.uniform(3, 4.5))
        gain = 1 + add * kinds.count("add") / len(kinds) + rng.gauss(0, noise)
        odds = before / (1 - before) * math.exp(gain)
        errors.append(CalibrationSample(kinds, weights, seen(before), odds / (1 + odds)))
    return errors


def seen(accuracy: float) -> Inherited:
    return Inherited(accuracy, -math.log(accuracy))


def test_a_kind_that_inherits_too_little_is_put_right() -> None:
    expects = Predictor.fit(made(16, add=1.0))
    assert (
        expects(("add", "add"), 4000, seen(0.70))
        > expects(("mult", "mult"), 4000, seen(0.75)) + 0.02
    )
    for probe in made(30, add=1.0, seed=1):
        expected = expects(probe.kinds, probe.weights, probe.inherited)
        assert expected == pytest.approx(probe.trained, abs=0.02)


def test_what_the_probes_do_not_show_is_not_believed() -> None:
    """With noise alone beside one gain for all, kinds stay close together."""
    expects = Predictor.fit(made(12, add=0.0, noise=0.3))
    gap = expects(("add",), 4000, seen(0.7)) - expects(("mult",), 4000, seen(0.7))
    assert abs(gap) < 0.03


@pytest.mark.parametrize("seed", range(5))
def test_behind_noisy_trainings_inherited_accuracies_still_count(seed: int) -> None:
    expects = Predictor.fit(made(12, add=0.0, noise=1.0, seed=seed))
    accuracies = [expects(("mult",), 5000, seen(accuracy)) for accuracy in (0.4, 0.6, 0.8)]
    assert accuracies[0] + 0.02 < accuracies[1] < accuracies[2] - 0.02


def test_order_does_not_matter_and_few_probes_say_nothing() -> None:
    known = made(12, add=0.5, noise=0.1)
    assert Predictor.fit(known) == Predictor.fit(known[::-1])
    assert Predictor.fit(known[: FEWEST - 1]) is AS_INHERITED
    assert AS_INHERITED(("add",), 100, seen(0.8)) == pytest.approx(0.8)


def test_a_training_that_failed_is_left_out() -> None:
    known = made(12, add=0.5)
    failed = CalibrationSample(("add",), 4000, seen(0.7), 0.1)
    assert Predictor.fit([*known, failed]) == Predictor.fit(known)


def test_certain_accuracies_are_finite() -> None:
    expects = Predictor.fit(
        [*made(12, add=0.0), CalibrationSample(("mult",), 100, Inherited(1.0, 0.0), 1.0)]
    )
    assert (
        0.0
        < expects(("mult",), 100, Inherited(0.0, 9.0))
        < expects(("mult",), 100, seen(1.0))
        < 1.0
    )


def test_probes_are_spread_over_kinds_and_sizes() -> None:
    drawn = probes(SPACE, 16, seed=0)
    assert drawn == probes(SPACE, 16, seed=0) != probes(SPACE, 16, seed=1)
    kinds = [set(candidate.kinds) for candidate in drawn]
    assert all(kinds.count({kind}) >= 4 for kind in SPACE.kinds)
    assert any(len(mixed) > 1 for mixed in kinds)
    sizes = [sum(p.numel() for p in Net(SPACE.architecture(c)).parameters()) for c in drawn[::4]]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0]
