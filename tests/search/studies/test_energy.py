"""The fit of predicted energy: exact on what it can explain, and as good as is said on the rest."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gen.cost.energy import FEATURES
from gen.support.devices import Device
from gen.support.errors import PlanError
from search.studies import energy as study
from search.studies.energy import figures, fit, held_out, load, predicted, total

REAL = dict(zip(FEATURES, (0.03, 1.2, 2.0, 1.7, 2.5, 15.0, 1.5), strict=True))


def rows(count: int) -> list[dict]:  # type: ignore[type-arg]
    rng = random.Random(5)
    made = []
    for seed in range(count):
        counts = {n: rng.randrange(1000, 9000) / REAL[n] for n in FEATURES}  # each takes as much
        work = sum(REAL[name] * n for name, n in counts.items()) / 1e3
        made.append({
            "seed": seed, "trained": seed % 3 == 0, "features": counts,
            "static_nj": 1.0, "clock_nj": 2.0,
            "activity_nj": work, "energy_45nm_nj": 1.0 + seed,
        })  # fmt: skip
    return made


def test_the_fit_finds_the_prices() -> None:
    given = rows(40)
    assert fit(given)["term_add"] == pytest.approx(REAL["term_add"], rel=0.3)
    assert all(a == pytest.approx(b, rel=0.05) for a, b in held_out(given))
    assert figures(given)["kendall"] > 0.9
    assert predicted(given[0], REAL) == pytest.approx(total(given[0]))


def test_the_table_ranks_as_it_does() -> None:
    given = rows(10)
    order = sorted(given, key=total)
    for rank, row in enumerate(order):
        row["energy_45nm_nj"] = 10.0 - rank  # the other way round
    said = figures(given)
    assert (said["kendall_45nm"], said["moved"], said["half"]) == (-1.0, 5, 5)
    assert (said["networks"], said["trained"]) == (10, 4)


def test_a_run_goes_on_and_replaces_what_is_simulated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "FIT", tmp_path / "fit.json")
    made = rows(4)
    asked: list[tuple[int, bool]] = []

    def simulate(target: Device, seed: int, trained: bool) -> dict:  # type: ignore[type-arg]
        asked.append((seed, trained))
        if (seed, trained) == (0, True):
            raise PlanError("does not fit")
        return made[seed] | {"device": target.name, "trained": trained}

    monkeypatch.setattr(study, "simulate", simulate)
    before = made[1] | {"device": "ice40-up5k", "trained": False, "static_nj": -1.0}
    study.keep({"ice40": {"prices": {}, "figures": {}, "samples": [before]}})
    study.measure("up5k", 2)
    assert asked == [(0, False), (0, True)], "what is kept is not simulated again"
    study.measure("up5k", 2, again=True)
    assert asked[2:] == [(0, False), (0, True), (1, False)]
    kept = study.load()["ice40"]["samples"]
    assert [(r["seed"], r["static_nj"]) for r in kept] == [(1, 1.0), (0, 1.0)]


@pytest.mark.parametrize("family", sorted(load()))
def test_what_is_kept_is_what_the_fit_gives(family: str) -> None:
    kept = load()[family]
    assert fit(kept["samples"]) == pytest.approx(kept["prices"])
    if kept["figures"]:
        assert figures(kept["samples"]) == kept["figures"]
    for a, b in held_out(kept["samples"]) if kept["figures"] else ():
        assert abs(a - b) <= (kept["figures"]["largest"] + 0.05) / 100 * b
