"""Characterisation goes on where it stopped, and the evaluation holds the cost model to account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gen.calibrate.characterise as characterise
import shiftadd
from gen.calibrate.characterise import NETWORKS, networks_of
from gen.calibrate.evaluate import counts, figure_errors, held_out, kendall
from gen.cost.cost import PRICES, predict
from gen.cost.features import describe
from gen.cost.fit import CostSample
from gen.plan.lower import lower
from gen.plan.plan import Fold
from gen.support.cache import Cache
from gen.support.devices import device
from search.space import space_files
from search.space.space import Candidate
from search.studies.heldout import FIELDS, described, random_network

TABLE: dict[str, Any] = json.loads(PRICES.read_text())["families"]
ROWS: dict[str, list[dict[str, Any]]] = json.loads(NETWORKS.read_text())


def test_layers_are_kept_one_by_one_and_not_measured_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "prices.json", list[str]()

    def measure(layer: Any, fold: Fold, target: Any, cache: Any) -> dict[str, int]:
        if len(seen) == 3:
            seen.append("interrupted")
            raise KeyboardInterrupt
        seen.append(layer.name)
        features, exact = describe(layer, fold, target)
        ff = features["register"] + features["lone"]
        return {"lut": 2 * ff, "ff": ff, "dsp": exact.dsp, "bram": exact.bram}

    monkeypatch.setattr(characterise, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        characterise.characterise("up5k", count=5, path=path)
    kept = json.loads(path.read_text())["families"]["ice40"]["samples"]
    assert [row["seed"] for row in kept] == [0, 1, 2]
    told: list[tuple[int, int]] = []
    table = characterise.characterise(
        "hx8k", count=5, path=path, progress=lambda done, total: told.append((done, total))
    )
    assert (told, table["layers"], len(seen)) == ([(4, 5), (5, 5)], 5, 6)
    assert json.loads(path.read_text())["families"]["ice40"]["samples"][:3] == kept
    assert table["prices"]["ff"].keys() >= {"register", "lone"}
    assert table["tools"][0].startswith("pyosys ")


def test_a_wrong_count_and_an_unknown_board_are_named() -> None:
    with pytest.raises(shiftadd.RequestError, match="--count 0: must be a whole number from 1"):
        shiftadd.characterise(count=0)
    with pytest.raises(ValueError, match="unknown device or board 'up5'"):
        characterise.characterise("up5", count=1)


@pytest.mark.parametrize("family", sorted(ROWS))
def test_kept_networks_are_described_as_today(family: str) -> None:
    for row in ROWS[family][:2]:
        features = described(row)
        assert features == {name: row[name] for name in features}, row["seed"]


@pytest.mark.parametrize("seed", [207, 214])
def test_constant_weights_are_counted_once_where_synthesis_keeps_them_once(
    seed: int, tmp_path: Path
) -> None:
    """A first layer of shifts with all its lanes: products by constants are wires, kept once."""
    row = next(r for r in ROWS["ecp5"] if (r["space"], r["seed"]) == ("8x8", seed))
    candidate = Candidate.from_dict(row["candidate"])
    network = random_network(space_files.load("8x8"), candidate, seed)
    (layer,) = (layer for layer in lower(network) if layer.name == "conv0_q")
    fold = Fold(**dict(zip(FIELDS, row["folds"]["conv0_q"], strict=False)))
    target = device("ulx3s-25f")
    measured = characterise.measure(layer, fold, target, Cache(tmp_path))
    cost = predict(layer, fold, target)
    assert cost.lut == pytest.approx(measured["lut"], rel=0.1)
    assert cost.ff == pytest.approx(measured["ff"], rel=0.15)


TAU = {"ecp5": 0.95, "ice40": 0.95, "gowin": 0.93}
"""Networks of Gowin lie closer together: 38 within a factor of 3.5, predicted to 1.5 %."""


@pytest.mark.parametrize("family", sorted(ROWS))
def test_networks_are_predicted_by_prices_fitted_without_them(family: str) -> None:
    limits = {"lut": 10, "ff": 10, "clock": 15}
    errors = figure_errors(TABLE[family], family)
    assert errors.keys() >= {"lut", "ff"}
    for figure, row in errors.items():
        assert row["error"] < limits[figure], figure
        assert row["largest"] < {"lut": 12, "ff": 10, "clock": 30}[figure], figure
    assert errors["lut"]["kendall"] >= TAU[family]
    for name, row in counts(family).items():
        assert row["exact"] >= 0.9 * row["networks"], name


def test_held_out_networks_do_not_price_themselves() -> None:
    rows = [CostSample({"register": 100.0}, {"ff": 100.0})] * 15
    odd = CostSample({"register": 100.0}, {"ff": 1000.0})
    pairs = held_out([], [odd, *rows], "ff", "ecp5")
    guess = next(guess for guess, measured in pairs if measured == 1000)
    assert guess == pytest.approx(100, rel=0.02)


def test_kendall() -> None:
    assert kendall([(1, 1), (2, 2), (3, 3)]) == 1
    assert kendall([(3, 1), (2, 2), (1, 3)]) == -1
    assert kendall([(1, 1), (3, 2), (2, 3)]) == pytest.approx(1 / 3)


def test_every_family_has_networks() -> None:
    assert ROWS.keys() == TABLE.keys()
    for family in ROWS:
        assert len(networks_of(family)) == len(ROWS[family]) > 0
