"""The rounds of a search on made-up scores: cut short they go on, and nothing is done twice."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from search.evolve.goal import Goal
from search.evolve.objectives import NO_LIMITS, SHARES, Genome, Limits
from search.evolve.predictor import CalibrationSample
from search.evolve.scoring import ScoringSetup
from search.evolve.traits import traits
from search.results import prediction_error
from search.results.results_files import load
from search.run import rounds, trainings
from search.run.pace import Pace
from search.run.plan import Speeds
from search.run.progress import Show
from search.run.request import Request
from search.run.rounds import Rounds
from search.run.run_folder import RunFolder
from search.run.tuning import Training, TuneJob
from tests.support import search_fakes as fakes


def request(**changes: Any) -> Request:
    budget = {"population": 8, "generations": 4, "trained": 5, "finalists": 3, "rounds": 2}
    values: dict[str, Any] = {
        "data": "digits", "board": "up5k", "space": None, "kinds": (), "sampler": "evolution",
        "sharing": "heterogeneous", "seed": 3, "limits": NO_LIMITS, "budget": budget,
    }  # fmt: skip
    return Request.make(**(values | changes))


def built(job: Any) -> list[dict[str, Any]]:
    """In place of `finalists.build`: measured 20 % above prediction."""
    rows = []
    for point in job.points:
        path = Path(job.folder) / "finalists" / point.key / "finalist.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        real = {name: 1.2 * value for name, value in point.predicted.items()}
        accuracy = dict.fromkeys(("inherited", "expected", "validation", "test"), point.accuracy)
        row = {
            "key": point.key, "id": point.id, "share": point.genome.share,
            "predicted": dict(point.predicted), "measured": real,
            "searched": dict(point.predicted), "error": "", "round": job.round,
            "accuracy": accuracy | {"validation": job.validation},
            "kinds": list(point.genome.candidate.kinds), "weights": 100,
            "inherited": asdict(point.inherited),
        }  # fmt: skip
        path.write_text(json.dumps(row))
        rows.append(row)
    return rows


def trained(job: TuneJob) -> CalibrationSample:
    """In place of `tuning.probe`: a third of the errors are gone, and of add layers half."""
    point = fakes.landscape(job.setting.space, Genome(job.candidate, 1.0))
    assert point.inherited
    assert point.accuracy
    left = 1 / 2 if "add" in job.candidate.kinds else 2 / 3
    form = traits(job.setting.space.architecture(job.candidate))
    return CalibrationSample(form, point.inherited, 1 - left * (1 - point.accuracy))


def trained_on(job: TuneJob) -> float:
    """In place of `tuning.further`: of the errors that are left, a fifth is gone at each rung."""
    return 1 - 0.8**job.training.rung * (1 - trained(job).trained)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "evaluate", fakes.evaluate)
    monkeypatch.setattr(rounds, "build", built)
    monkeypatch.setattr(trainings, "probe", trained)
    monkeypatch.setattr(trainings, "further", trained_on)
    monkeypatch.setattr(rounds, "refit", lambda device, run, rows: None)


def pace(asked: Request, run: RunFolder, show: Show) -> Pace:
    """With a time, each unit is planned for a second."""
    if asked.seconds is None:
        return Pace(run, show)
    return Pace(run, show, asked.seconds, asked.budget, Speeds(1, 1, 1, 1, 1))


def search(folder: Path, stop: int | None = None, **changes: Any) -> tuple[list[Any], int]:
    """Lines of candidates.jsonl in order of their keys, and the number of jobs done."""
    asked = request(**changes)
    run = RunFolder(folder, asked.as_dict(), resume=True)
    pool = fakes.Here(stop)
    setting = ScoringSetup(asked.space, "", "digits", "up5k", asked.limits)
    try:
        show = Show(quiet=True)
        made = Rounds(asked, run, cast(Any, pool), show, pace(asked, run, show))
        made.all(setting, Training(1, 0))
    except KeyboardInterrupt:
        pass
    finally:
        run.close()
    rows = [json.loads(line) for line in (folder / "candidates.jsonl").read_text().splitlines()]
    return sorted(rows, key=lambda row: (row["round"], row["key"])), pool.done


@pytest.mark.usefixtures("fake")
def test_cut_anywhere_and_resumed_is_the_same_search(tmp_path: Path) -> None:
    whole, _ = search(tmp_path / "whole")
    assert {row["round"] for row in whole} == {0, 1}
    for stop in (1, 7, 13, 34, 11):
        search(tmp_path / "cut", stop)
    rows, _ = search(tmp_path / "cut")
    assert rows == whole
    finalists = sorted(p.name for p in (tmp_path / "whole/finalists").iterdir())
    assert sorted(p.name for p in (tmp_path / "cut/finalists").iterdir()) == finalists
    keys = [(row["round"], row["key"]) for row in rows]
    assert len(set(keys)) == len(keys), "nothing was evaluated twice"


@pytest.mark.usefixtures("fake")
def test_with_a_time_a_resumed_search_does_what_was_decided(tmp_path: Path) -> None:
    """Nothing takes any time here, so that far more is done than planned, up to the limits; but
    for a part of the trainings that is left out, as there are but two."""
    budget = {"population": 4, "generations": 2, "trained": 2, "finalists": 1, "rounds": 1}
    options: dict[str, Any] = {"seconds": 100.0, "budget": budget}
    whole, _ = search(tmp_path / "whole", **options)
    decided = json.loads((tmp_path / "whole/run.json").read_text())["steps"]
    assert decided["training 1.1"]["units"] == 0
    assert [name for name in decided if name.startswith("finalists")] == ["finalists 1.1"]
    assert load(tmp_path / "whole").state == "running", "what was written is read"
    assert len(whole) > 8 * len(SHARES)
    search(tmp_path / "cut", 20, **options)
    path = tmp_path / "cut/run.json"
    head = json.loads(path.read_text())
    assert head["steps"].keys() < decided.keys()
    head["steps"] = {name: step | {"seconds": 0.5} for name, step in decided.items()}
    path.write_text(json.dumps(head))
    rows, _ = search(tmp_path / "cut", **options)
    assert rows == whole
    assert json.loads(path.read_text())["steps"] == head["steps"]


@pytest.mark.usefixtures("fake")
def test_finalists_are_chosen_by_what_training_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: dict[str, float] = {}

    def remember(job: TuneJob) -> CalibrationSample:
        sample = trained(job)
        known[Path(job.folder).name] = sample.trained
        return sample

    monkeypatch.setattr(trainings, "probe", remember)
    rows, _ = search(tmp_path, budget={"population": 8, "generations": 6, "trained": 6,
                                       "finalists": 3, "rounds": 1, "rungs": 1})  # fmt: skip
    assert len(known) == 6
    paths = (tmp_path / "finalists").glob("*/finalist.json")
    built = {path.parent.name: json.loads(path.read_text()) for path in paths}
    assert len(built) == 3
    networks = {name.rsplit("-", 1)[0] for name in built}
    assert networks <= set(known)
    assert max(known.values()) in {known[name] for name in networks}  # or one as good, and cheaper
    seen = {row["key"]: row["accuracy"] for row in rows}
    for name, finalist in built.items():
        assert finalist["accuracy"]["expected"] == seen[name], (
            "as the search saw it, not as trained"
        )


@pytest.mark.usefixtures("fake")
def test_the_best_go_on_from_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine networks, three, one: what a later rung trains is the best of the one before it."""
    done: dict[int, dict[str, float]] = {0: {}, 1: {}, 2: {}}

    def first(job: TuneJob) -> CalibrationSample:
        sample = trained(job)
        done[0][job.folder] = sample.trained
        return sample

    def later(job: TuneJob) -> float:
        rung, accuracy = job.training.rung, trained_on(job)
        assert job.start in done[rung - 1], "from its own training at the rung before"
        assert Path(job.folder) == tmp_path / "trained" / job.setting.space.id(job.candidate) / (
            f"rung-{rung}"
        )
        done[rung][job.folder] = accuracy
        return accuracy

    monkeypatch.setattr(trainings, "probe", first)
    monkeypatch.setattr(trainings, "further", later)
    budget = {"trained": 9, "epochs": 2, "finalists": 3, "rounds": 1, "generations": 6}
    search(tmp_path, budget=budget, goal=Goal("accuracy"))
    assert [len(done[rung]) for rung in (0, 1, 2)] == [9, 3, 1]
    (last,) = done[2]
    best = max(done[0], key=lambda folder: done[0][folder])
    assert Path(last).parent == Path(best)
    rows = [json.loads(p.read_text()) for p in (tmp_path / "finalists").glob("*/finalist.json")]
    assert max(row["accuracy"]["validation"] for row in rows) == done[2][last]


@pytest.mark.usefixtures("fake")
def test_rounds_end_when_predictions_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(tmp_path / "off")
    rows = json.loads((tmp_path / "off/rounds.json").read_text())
    assert [row["round"] for row in rows] == [0, 1]
    assert rows[0]["lut_error"] == pytest.approx(100 * 0.2 / 1.2, abs=0.01)
    monkeypatch.setitem(prediction_error.AGREED, "lut_error", 20)
    monkeypatch.setitem(prediction_error.AGREED, "fmax_error", 20)
    monkeypatch.setitem(prediction_error.AGREED, "latency_error", 20)
    search(tmp_path / "good")
    assert len(json.loads((tmp_path / "good/rounds.json").read_text())) == 1


@pytest.mark.usefixtures("fake")
def test_random_sampler_spends_the_same(tmp_path: Path) -> None:
    ours, _ = search(tmp_path / "a")
    chance, _ = search(tmp_path / "b", sampler="random")
    assert len(ours) == len(chance) == 2 * 8 * 4 * len(SHARES)
    assert ours != chance


@pytest.mark.usefixtures("fake")
def test_a_limit_that_nothing_meets_names_the_nearest(tmp_path: Path) -> None:
    rule = r"--max-latency 1us: nothing found in space 8x8 meets it on up5k; nearest is"
    with pytest.raises(ValueError, match=rule) as error:
        search(tmp_path, limits=Limits(max_latency_us=1))
    lines = (tmp_path / "candidates.jsonl").read_text().splitlines()
    best = min(json.loads(line)["predicted"]["latency_us"] for line in lines)
    near = float(str(error.value).rsplit(" ", 1)[1].removesuffix("us"))
    assert best <= near <= best + 0.011
