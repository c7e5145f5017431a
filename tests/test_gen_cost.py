"""The cost model against the measured layers that its prices are fitted to."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gen.characterise import PRICES, case, errors, fit
from gen.cost import describe, predict

FAMILIES = json.loads(PRICES.read_text())["families"]
FIGURES = ("lut", "ff")
Samples = list[dict[str, Any]]


@pytest.fixture(params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = FAMILIES[request.param]
    return found | {"name": request.param}


def test_prices_belong_to_the_features_of_today(family: dict[str, Any]) -> None:
    """A feature that means something else since it was priced wants a new fit."""
    for sample in family["samples"]:
        layer, fold, target = case(family["name"], sample["seed"])
        features, exact = describe(layer, fold, target)
        assert features == sample["features"], f"seed {sample['seed']}"
        assert {"dsp": exact.dsp, "bram": exact.bram} == sample["counted"]
        cost = predict(layer, fold, target)
        prices = family["prices"]["lut"]
        assert cost.lut == pytest.approx(sum(prices.get(k, 0) * v for k, v in features.items()))


def test_prices_are_fitted_to_the_samples(family: dict[str, Any]) -> None:
    samples: Samples = family["samples"]
    assert len(samples) >= 40
    for figure in FIGURES:
        prices = family["prices"][figure]
        assert fit(samples, figure) == pytest.approx(prices, abs=2e-4)
        assert round(errors(samples, prices, figure), 1) == family["error_percent"][figure] < 10


def test_prices_foretell_layers_that_they_were_not_fitted_to(family: dict[str, Any]) -> None:
    samples: Samples = family["samples"]
    for figure in FIGURES:
        parts = [fit([s for i, s in enumerate(samples) if i % 4 != k], figure) for k in range(4)]
        found = [errors(samples[k::4], parts[k], figure) for k in range(4)]
        assert sum(found) / 4 < 20, found


def test_blocks_and_multipliers_are_counted(family: dict[str, Any]) -> None:
    samples: Samples = family["samples"]
    assert [s["counted"]["bram"] for s in samples] == [s["measured"]["bram"] for s in samples]
    # synthesis may do without a multiplier whose operand turns out to be simple
    more = [s["counted"]["dsp"] - s["measured"]["dsp"] for s in samples]
    assert min(more) >= 0
    assert sum(n > 0 for n in more) <= len(samples) // 20


def test_fit_finds_prices_that_were_put_in() -> None:
    rng = random.Random(1)
    true = {"a": 3.0, "b": 0.25}
    samples = [
        {"features": features, "measured": {"lut": sum(true[n] * features[n] for n in true)}}
        for features in ({n: float(rng.randrange(1000)) for n in "abc"} for _ in range(20))
    ]
    assert fit(samples, "lut") == pytest.approx(true)
    assert errors(samples, true, "lut") == pytest.approx(0)
    assert errors(samples, {"a": 3.3, "b": 0.275}, "lut") == pytest.approx(10, abs=1)
