"""The study of weights of few bits: which networks, and that what is kept is not trained again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model import data as datasets
from model import zoo
from search.studies import weight_bits as study


def test_only_inner_layers_are_narrow() -> None:
    made = study.network(zoo.load("digits_hybrid"), "add", 3)
    weighted = [block for block in made.blocks if block.weighted]
    assert [block.kind for block in weighted] == ["mult", "add", "add", "mult"]
    assert [block.weight_bits for block in weighted] == [8, 3, 3, 8]
    assert made.blocks[-1].act_bits == 10  # scores stay as they are


def test_shift_has_its_own_widths() -> None:
    assert list(study.widths("shift")) == [2, 3, 4]
    assert list(study.widths("add")) == list(study.WIDTHS)


def test_what_is_kept_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "widths", lambda name: [3] if name == "add" else [])
    kept, data = tmp_path / "kept.json", datasets.load("digits")
    label = "digits add 3 1"
    kept.write_text(json.dumps({label: [0.25]}), encoding="utf-8")
    study.measure(data, 1, 2, kept)
    first, second = study.load(kept)[label]
    assert first == 0.25
    assert 0.1 < second <= 1
    study.measure(data, 1, 2, kept)
    assert study.load(kept)[label] == [first, second]


def test_the_table_has_means_and_spreads() -> None:
    done = {"digits add 4 60": [0.95, 0.97], "digits add 8 60": [0.96], "digits add 8 2": [0.5]}
    assert list(study.rows(done, "digits", 60)) == [["add", "", "", "96.0 ± 1.4", "", "", "96.0"]]
