"""The cost model against the measured layers and networks that its prices are fitted to."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from gen.calibrate.characterise import case, described, layers_of, mean_error, networks_of
from gen.cost.cost import PRICES, CostModel, costs, predict
from gen.cost.features import MEANING, describe
from gen.cost.fit import CostSample, errors, expected, fit
from gen.plan.plan import Cost, fold_of
from gen.planner.fold_candidates import folds, offers
from gen.support.devices import device

FAMILIES = json.loads(PRICES.read_text())["families"]
FIGURES = ("lut", "ff")


@pytest.fixture(params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> dict[str, Any]:
    family: dict[str, Any] = FAMILIES[request.param]
    return family | {"name": request.param}


def test_prices_belong_to_the_features_of_today(family: dict[str, Any]) -> None:
    """A feature that means something else since it was priced wants a new fit."""
    for row in family["samples"]:
        layer, target, _ = case(family["name"], row["seed"])
        fold = fold_of(row["fold"])
        features = described(layer, fold, target)
        assert features == {name: row[name] for name in features}, f"seed {row['seed']}"
        assert features["features"].keys() <= MEANING.keys()
        cost = predict(layer, fold, target)
        prices = family["prices"]["lut"]
        expected_lut = sum(prices.get(k, 0) * v for k, v in row["features"].items())
        assert cost.lut == pytest.approx(expected_lut)


def test_prices_are_fitted_to_the_samples(family: dict[str, Any]) -> None:
    for figure in FIGURES:
        rows = [*layers_of(family, figure), *networks_of(family["name"])]
        prices = family["prices"][figure]
        again = fit(rows, figure, expected(figure, family["name"]), family["name"])
        assert again == pytest.approx(prices, abs=2e-3)
        for what, error in family["error_percent"][figure].items():
            mine = layers_of(family, figure) if what == "layers" else networks_of(family["name"])
            assert mean_error(mine, prices, figure) == pytest.approx(error, abs=0.11)
            assert error < 10, what


def held_out(rows: Sequence[CostSample], figure: str, family: str, parts: int = 4) -> list[float]:
    """Errors in percent of prices fitted to the other parts of the samples."""
    start = expected(figure, family)
    every: list[float] = []
    for k in range(parts):
        rest = [row for i, row in enumerate(rows) if i % parts != k]
        every += errors(rows[k::parts], fit(rest, figure, start, family), figure)
    return every


def test_prices_predict_layers_that_they_were_not_fitted_to(family: dict[str, Any]) -> None:
    for figure in FIGURES:
        rows = layers_of(family, figure)
        if rows:
            percent = held_out(rows, figure, family["name"])
            assert sum(map(abs, percent)) / len(percent) < 12, figure


def test_blocks_and_multipliers_are_counted(family: dict[str, Any]) -> None:
    rows = family["samples"]
    assert [s["counted"]["bram"] for s in rows] == [s["measured"]["bram"] for s in rows]
    # synthesis may do without a multiplier whose operand turns out to be simple
    more = [s["counted"]["dsp"] - s["measured"]["dsp"] for s in rows]
    assert min(more) >= 0
    assert sum(n > 0 for n in more) <= len(rows) // 20


def test_fit_finds_prices_that_were_put_in() -> None:
    rng = random.Random(1)
    true = {"register": 3.0, "lone": 0.25}
    rows = [
        CostSample(f, {"ff": sum(true[n] * f[n] for n in true)})
        for f in ({n: float(rng.randrange(1000)) for n in true} for _ in range(200))
    ]
    prices = fit(rows, "ff", {"register": 1.0, "lone": 1.0}, "ecp5")
    assert prices == pytest.approx(true, abs=0.01)
    assert errors(rows[:1], {"register": 3.3, "lone": 0.275}, "ff") == pytest.approx([10], abs=1)


def test_fit_keeps_what_is_expected_where_nothing_is_measured() -> None:
    start = {"register": 1.0, "lone": 0.7}
    prices = fit([CostSample({"register": 100}, {"ff": 200})], "ff", start, "ecp5")
    assert prices["lone"] == 0.7
    assert 1.85 < prices["register"] <= 2


@pytest.mark.parametrize("seed", range(1, 13))
def test_all_foldings_at_once_cost_as_each_alone(seed: int) -> None:
    target = device("up5k")
    layer, _, _ = case("ice40", seed)
    together = costs(layer, offers(layer, target), target)
    for i, fold in list(enumerate(folds(layer, target)))[::17]:
        features, exact = describe(layer, fold, target)
        lut, ff, dsp, bram = together[i]
        assert (lut, ff) == CostModel.of(target).price(features)
        assert (dsp, bram) == (exact.dsp, exact.bram)
        assert predict(layer, fold, target) == Cost(lut, ff, exact.dsp, exact.bram)


def test_model_is_equal_by_content_and_refits() -> None:
    target = device("hx8k")
    model = CostModel.of(target)
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert (hash(again), again.hash) == (hash(model), model.hash)
    assert model.refit([]) is model
    features = {"engine": 3, "tree_mult": 900, "lane_mult": 800, "register": 1500, "lone": 700}
    lut, ff = model.price(features)
    double = CostSample(features, {"lut": 2 * lut, "ff": 2 * ff})
    moved = model.refit([double] * 9)
    assert moved.hash != model.hash
    for before, after, aim in zip((lut, ff), moved.price(features), (2 * lut, 2 * ff), strict=True):
        assert before < after <= aim * 1.001
        assert after == pytest.approx(aim, rel=0.05)
    assert dict(moved.lut)["head"] == dict(model.lut)["head"]


def test_cost_adds_up() -> None:
    assert asdict(Cost(1, 2, 3, 4) + Cost(1, 1, 1, 1)) == {"lut": 2, "ff": 3, "dsp": 4, "bram": 5}
