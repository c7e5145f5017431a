"""A sample of what `make fuzz` tries, and inputs that were faults once."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.errors import LONGEST, RequestError, ShiftaddError
from tests.fuzz.drive import drawn, drive, summary
from tests.fuzz.subject import Subject
from tests.fuzz.subjects import SUBJECTS
from tests.fuzz.values import mutated, to_json, to_toml
from tests.fuzz.worker import FAULTS, outcome_of

COUNT, SEED = 500, 20
BY_NAME = {subject.name: subject for subject in SUBJECTS}


def test_damaged_files_are_understood_or_refused_in_one_line(tmp_path: Path) -> None:
    results = drive(COUNT, SEED, tmp_path)
    faults = [result for result in results if result["outcome"] in FAULTS]
    assert not faults, faults[0]
    assert {result["kind"] for result in results} == set(BY_NAME), "every kind is tried"
    made = summary(results, SEED)
    understood = sum(kind["understood"] for kind in made["kinds"].values())
    assert 0 < understood < COUNT
    assert len(drawn(made).splitlines()) == len(SUBJECTS) + 2
    assert drive(COUNT, SEED, tmp_path) == results, "nothing is tried again"


def test_mutations_follow_from_the_seed() -> None:
    tree = {"a": [1, 2.5, {"b": "c"}], "d": True}
    for form in (to_json, to_toml):
        once, again = (
            [form(mutated(tree, random.Random(seed))) for seed in range(300)] for _ in range(2)
        )
        assert once == again
        assert len(set(once)) > 200


def broken(kind: Exception | Callable[[], object]) -> Subject:
    def use(folder: Path) -> object:
        if isinstance(kind, Exception):
            raise kind
        return kind()

    return Subject("broken", lambda folder: None, {}, use)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (KeyError("x"), "traceback"),
        (RecursionError(), "traceback"),
        (MemoryError(), "memory"),
        (RequestError("one line"), "refused"),
        (RequestError(""), "lines"),
        (lambda: np.int8(100) + np.int8(100), "traceback"),
        (lambda: None, "understood"),
    ],
)
def test_the_harness_tells_faults_from_refusals(
    kind: Exception | Callable[[], object], outcome: str, tmp_path: Path
) -> None:
    assert outcome_of(broken(kind), tmp_path)[0] == outcome


Edit = Callable[[Any], object]


def set_in(row: Any, value: object, *place: str | int) -> None:
    for step in place[:-1]:
        row = row[step]
    row[place[-1]] = value


@pytest.mark.parametrize(
    ("kind", "file", "value", "place", "line"),
    [
        ("plan", "plan.json", "x" * 10**5, ("plan", "stages", 1, "fold", "ring"), "Invalid enum"),
        ("plan", "plan.json", 3, ("plan", "stages", 1, "fold", "lanes"), "lanes 3 must divide 2"),
        ("plan", "plan.json", 3, ("plan", "stages", 1, "fold", "parallel"), None),
        ("plan", "plan.json", 2, ("plan", "stages", 1, "fold", "parallel"), "taps 2 must be 1 or"),
        ("plan", "plan.json", 3, ("plan", "stages", 1, "fold", "pe"), "pe 3 must divide 4"),
        ("plan", "plan.json", 1.5, ("plan", "cycles_latency"), "Expected int, got float (1.5)"),
        ("plan", "plan.json", 1e308, ("plan", "cost", "lut"), "1e+308 must be a number up to"),
        ("plan", "plan.json", {}, ("plan", "fifos"), "the plan has FIFOs for none, the network"),
        ("plan", "plan.json", [], ("plan", "stages"), "the plan is of the layers none"),
        ("report", "report.json", 1e308, ("predicted", "lut"), "1e+308 must be a number up to"),
        ("report", "report.json", -1, ("predicted", "lut"), "Expected int >= 0 (-1)"),
        (
            "run",
            "run/run.json",
            "1",
            ("device", "lut"),
            "$.device.lut: Expected int, got str",
        ),
        ("run", "run/run.json", [1], ("request", "kinds"), "Expected str, got int (1)"),
        ("run", "run/rounds.json", 1e308, (0, "lut_error"), "1e+308 must be a number up to"),
        ("resumed", "run/rounds.json", "x", (0, "measured"), "Expected int, got str ('x')"),
        ("run", "run/run.json", None, ("seconds",), None),
        ("resumed", "run/run.json", None, ("seconds",), None),
        ("resumed", "run/run.json", None, ("seconds", "supernet"), None),
        ("supernet", "supernet.json", 10**30, ("weights",), "an integer beyond 64 bits"),
        ("supernet", "supernet.json", [], ("space",), "Expected object, got array"),
        ("bundle", "bundle/manifest.json", ["x"], ("classes",), "1 names for 3 classes"),
    ],
)
def test_right_hash_and_wrong_values(
    kind: str, file: str, value: object, place: tuple[str | int, ...], line: str | None,
    tmp_path: Path,
) -> None:  # fmt: skip
    subject = BY_NAME[kind]
    folder = subject.sample(tmp_path)
    row = json.loads((folder / file).read_text())
    set_in(row, value, *place)
    (folder / file).write_text(json.dumps(row))
    subject.heal(folder)
    if line is None:
        subject.use(folder)
        return
    with pytest.raises(ShiftaddError) as caught:
        subject.use(folder)
    assert line in str(caught.value)
    assert caught.value.exit_status == 2
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= LONGEST


def test_costs_of_nothing_have_a_place_in_the_plots(tmp_path: Path) -> None:
    """A logarithm has none for them."""
    subject = BY_NAME["run"]
    folder = subject.sample(tmp_path)
    for path in (folder / "run/finalists").glob("*/finalist.json"):
        row = json.loads(path.read_text())
        costs = dict.fromkeys(row["measured"], 0)
        path.write_text(json.dumps(row | dict.fromkeys(("searched", "predicted"), costs)))
        path.write_text(json.dumps(json.loads(path.read_text()) | {"measured": costs}))
    lines = (folder / "run/candidates.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    rows[0]["predicted"] = dict.fromkeys(rows[0]["predicted"], 0)
    (folder / "run/candidates.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in rows))
    subject.use(folder)


def test_names_of_a_run_stay_inside_it(tmp_path: Path) -> None:
    subject = BY_NAME["run"]
    folder = subject.sample(tmp_path)
    path = next((folder / "run/finalists").glob("*/finalist.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"key": "../../../x"}))
    with pytest.raises(ShiftaddError, match=r"key '\.\./\.\./\.\./x' must be a plain name"):
        subject.use(folder)


@pytest.mark.parametrize("file", ["run/run.json", "run/candidates.jsonl", "run/rounds.json"])
def test_what_is_no_file_is_not_waited_for(file: str, tmp_path: Path) -> None:
    subject = BY_NAME["run"]
    folder = subject.sample(tmp_path)
    (folder / file).unlink()
    os.mkfifo(folder / file)
    outcome, said = outcome_of(subject, folder)
    assert (outcome, "no regular file" in said) in {("refused", True), ("understood", False)} or (
        "no run.json" in said
    )
