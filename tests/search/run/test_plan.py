"""What a search of a given time is planned to do: speeds in, a budget out."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest

from model.errors import RequestError
from search.run import plan as plans
from search.run.pace import Pace
from search.run.plan import Speeds, Step, part, plan, said, seconds_of, steps, stretched
from search.run.progress import Show
from search.run.request import SearchBudget
from search.run.run_folder import RunFolder

USUAL = SearchBudget()
SPEEDS = Speeds(score=0.07, epoch=5.0, teacher=30.0, told=8.0, build=40.0)
"""Of Fashion-MNIST on two cores, about."""


def total(budget: SearchBudget, speeds: Speeds = SPEEDS) -> float:
    return seconds_of(steps(budget, speeds))


@pytest.mark.parametrize("minutes", [10, 30, 60, 90, 240, 1000])
def test_fills_its_time(minutes: int) -> None:
    planned = plan(60 * minutes, SPEEDS, USUAL, {})
    assert 0.8 * 60 * minutes < total(planned) <= 60 * minutes
    assert planned.rounds == 1


def test_more_time_does_more_of_everything() -> None:
    budgets = [asdict(plan(60.0 * minutes, SPEEDS, USUAL, {})) for minutes in (10, 30, 90, 270)]
    for less, more in pairwise(budgets):
        assert more["trained"] * more["epochs"] > less["trained"] * less["epochs"]
        assert more["population"] * more["generations"] > less["population"] * less["generations"]
        for name in ("finalists", "probes", "teacher_epochs", "epochs"):
            assert more[name] >= less[name]
    assert budgets[-1]["teacher_epochs"] == USUAL.teacher_epochs
    assert budgets[-1]["epochs"] > USUAL.epochs


def test_a_slower_machine_does_less() -> None:
    slow = Speeds(**{name: 3 * value for name, value in asdict(SPEEDS).items()})
    there, here = (plan(5400, speeds, USUAL, {}) for speeds in (slow, SPEEDS))
    assert there == plan(1800, SPEEDS, USUAL, {})
    assert there.trained * there.epochs < here.trained * here.epochs


def test_what_is_given_stays() -> None:
    planned = plan(3600, SPEEDS, USUAL, {"finalists": 3, "epochs": 7})
    assert (planned.finalists, planned.epochs) == (3, 7)
    assert 0.8 * 3600 < total(planned) <= 3600


def test_what_is_too_little_for_a_build_is_not_idle() -> None:
    slow = replace(SPEEDS, build=1000.0)
    planned = plan(3600, slow, USUAL, {})
    assert planned.finalists == 1
    assert 0.9 * 3600 < total(planned, slow) <= 3600


def test_too_little_time_is_refused_with_what_it_takes() -> None:
    rule = r"^--time 0\.5m: the least that a search takes here is .*m$"
    with pytest.raises(RequestError, match=rule) as error:
        plan(30, SPEEDS, USUAL, {})
    least = 60 * float(str(error.value).rsplit(" ", 1)[1].removesuffix("m"))
    known = plan(least, SPEEDS, USUAL, {})
    assert plan(least + 100, SPEEDS, USUAL, {}, spent=100) == known
    with pytest.raises(RequestError, match=r"^--time 2\.2m: the least .* takes here is"):
        plan(130, SPEEDS, USUAL, {}, spent=100)


def test_a_plan_in_one_line() -> None:
    budget = replace(USUAL, rounds=1)
    told = said(budget, SPEEDS)
    assert told.startswith("plan: teacher 12 epochs (6.0m), probes 12 × 3 (3.4m), 960 networks")
    assert "trained 30 × 3, 10 × 8, 4 × 20 epochs (25m), 8 built (5.3m): " in told


def test_parts_are_the_whole() -> None:
    for count in range(20):
        assert sum(part(count, i) for i in range(plans.PARTS)) == count


def test_all_that_is_left_is_stretched_alike() -> None:
    step, ahead = Step("a", 10, 100.0), [Step("b", 5, 300.0)]
    assert stretched(step, 400, ahead) == 10
    assert stretched(step, 200, ahead) == 5
    assert stretched(step, 800, ahead) == 20
    assert stretched(step, 1e9, ahead) == 10 * plans.STRETCH
    assert stretched(step, -5, ahead) == 10 // plans.STRETCH
    assert stretched(Step("a", 2, 1.0), 0, []) == 1
    assert stretched(Step("a", 0, 0.0), 100, []) == 0


def test_a_run_whose_trainings_are_twice_as_slow_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A made-up clock: every step takes what it was measured to take, trainings twice that."""
    budget = plan(3600, SPEEDS, USUAL, {})
    run = RunFolder(tmp_path, {}, resume=False)
    pace = Pace(run, Show(quiet=True), 3600, budget, SPEEDS)
    done: dict[str, int] = {}
    for step in steps(budget, SPEEDS):
        spent = run.head["seconds"]
        if step.kind in ("teacher", "probes"):
            spent[step.kind] = step.seconds
            continue
        with pace.step(step.name, step.units) as units:
            slower = 2 if step.kind == "training" else 1
            took = slower * step.seconds * units / step.units
            spent[step.kind] = spent.get(step.kind, 0.0) + took
            done[step.name] = units
    run.close()
    assert 0.8 * 3600 < sum(run.head["seconds"].values()) < 1.2 * 3600
    assert done["training 1, rung 3"] < budget.epochs * 6.8
    assert [step["units"] for step in run.head["steps"].values()] == list(done.values())


def test_without_a_time_a_search_does_what_its_budget_says(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {}, resume=False)
    with Pace(run, Show(quiet=True)).step("training 1, rung 2", 8, 3.0) as epochs:
        assert epochs == 8
    assert run.head["seconds"].keys() == {"training"}
    assert "steps" not in run.head
    run.close()
