"""Hybrid beside its baselines: who wins, by how much, and that every search has the same budget."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from search.results.results import Costs, Finalist
from search.studies import baselines
from search.studies.baselines import STYLES, compare, gained, table


def finalist(accuracy: float, lut: float, name: str = "a") -> Finalist:
    costs = Costs(lut=lut, latency_us=lut / 10, energy_nj=lut / 100)
    known: dict[str, Any] = {
        "key": name, "share": 1.0, "round": 0, "kinds": ("mult",), "inherited": accuracy,
        "validation": accuracy, "test": accuracy - 0.01, "predicted": costs, "searched": costs,
        "measured": costs, "images": 20, "mismatches": 0, "error": "", "folder": Path(),
    }  # fmt: skip
    return Finalist(**{f.name: known[f.name] for f in fields(Finalist) if f.name in known})


def test_gains_by_hand() -> None:
    ours = [finalist(0.9, 1000), finalist(0.97, 2000)]
    theirs = [finalist(0.96, 2500)]
    gains = gained(ours, theirs)
    assert gains is not None
    assert gains["at_accuracy"] == 0.96
    assert gains["saved"]["lut"] == pytest.approx(1 - 2000 / 2500)
    assert gains["accuracy_ahead"] == pytest.approx(0.01)
    small = gained(ours, [finalist(0.5, 10)])
    assert small is not None
    assert small["accuracy_ahead"] is None, "nothing of ours is so small"
    assert gained(ours, []) is None


def test_larger_front_has_larger_volume() -> None:
    fronts = {
        "hybrid": [[finalist(0.97, 1000)], [finalist(0.95, 1000)]],
        "mult": [[finalist(0.95, 1500)], [finalist(0.96, 1000)]],
    }
    hybrid, mult = compare(fronts, 10)
    assert hybrid["hypervolume"][0] > mult["hypervolume"][0]
    assert hybrid["hypervolume"][1] < mult["hypervolume"][1]
    assert hybrid["best_test"] == pytest.approx([0.96, 0.94])


def test_volume_by_test_counts_what_the_search_has_not_chosen_by() -> None:
    lucky = replace(finalist(0.97, 1000), test=0.90)
    hybrid, mult = compare({"hybrid": [[finalist(0.96, 1000)]], "mult": [[lucky]]}, 10)
    assert hybrid["hypervolume"] < mult["hypervolume"]
    assert hybrid["hypervolume_test"] > mult["hypervolume_test"]


def test_every_search_has_the_same_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def search(**options: Any) -> SimpleNamespace:
        asked.append(options)
        return SimpleNamespace(evaluations=7)

    class Run:
        front = (finalist(0.9, 100),)

    monkeypatch.setattr(baselines, "search", search)
    monkeypatch.setattr(baselines, "load", lambda folder: Run)
    options: dict[str, Any] = {"data": "digits", "board": "up5k", "seeds": 2, "out": tmp_path}
    made = baselines.baselines(**options, budget={"population": 8})
    assert len(asked) == 2 * len(STYLES)
    assert all(one["budget"] == {"population": 8} and one["resume"] for one in asked)
    assert len({one["out"] for one in asked}) == len(asked)
    assert {one["seed"] for one in asked} == {0, 1}
    assert sorted(one.get("kinds", ()) for one in asked[:5]) == [
        (),
        (),
        ("add",),
        ("mult",),
        ("shift",),
    ]
    assert json.loads((tmp_path / "baselines.json").read_text()) == made
    assert table(made).row_count == len(STYLES)


def test_a_tenth_and_ten_times_the_cost_make_up_for_each_other() -> None:
    assert baselines._saved([0.9, -9.0]) == [pytest.approx(0.0)]
    assert baselines._saved([]) == []
