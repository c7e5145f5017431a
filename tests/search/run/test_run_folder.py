"""The run directory: whatever is cut short goes on from what is on disk."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from model.lock import FolderInUseError
from search.evolve.evolve import Evolution
from search.evolve.objectives import NO_LIMITS, Genome, Score
from search.results.results import RunError
from search.run.run_folder import RunFolder
from search.space import space_files
from tests.support import search_fakes as fakes

ASKED = {"data": "digits", "limits": {"fps": None}}


def score(share: float = 1.0) -> Score:
    space = space_files.load("8x8")
    least = Evolution(space, NO_LIMITS, population=4, seed=0).ask()[0]
    return fakes.landscape(space, Genome(least, share))


def test_a_score_is_on_disk_and_read_back(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, ASKED, resume=False)
    run.append([score()], 0, 2)
    assert json.loads((tmp_path / "candidates.jsonl").read_text())["generation"] == 2, "at once"
    run.close()
    again = RunFolder(tmp_path, ASKED, resume=True)
    assert again.scores == {(0, score().key): score()}
    assert again.inherited == {score().id: score().inherited}
    again.close()


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, ASKED, resume=False)
    run.append([score()], 0, 0)
    run.close()
    path = tmp_path / "candidates.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    again = RunFolder(tmp_path, ASKED, resume=True)
    again.append([score(), score(0.5)], 0, 0)
    again.close()
    assert [json.loads(line)["share"] for line in path.read_text().splitlines()] == [1.0, 0.5]


def test_the_time_of_a_step_that_was_cut_short_counts(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "whole", ASKED, resume=False)
    with run.timed("search"):
        run.append([score()], 0, 0)
        shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    run.close()
    assert "doing" not in run.head
    since = json.loads((tmp_path / "cut/run.json").read_text())["doing"]["since"]
    os.utime(tmp_path / "cut/candidates.jsonl", (since + 90, since + 90))
    again = RunFolder(tmp_path / "cut", ASKED, resume=True)
    again.close()
    assert again.head["seconds"] == {"search": pytest.approx(90, abs=0.1)}
    assert "doing" not in again.head


def test_a_run_with_other_energies_is_not_gone_on_with(tmp_path: Path) -> None:
    RunFolder(tmp_path, ASKED, resume=False).close()
    path = tmp_path / "run.json"
    path.write_text(path.read_text().replace('"energy": "', '"energy": "0'))
    with pytest.raises(RunError, match=r"holds a run with other figures of energy, .*--out$"):
        RunFolder(tmp_path, ASKED, resume=True)


def test_an_infeasible_run_makes_way(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, ASKED, resume=False)
    run.append([score()], 0, 0)
    run.note(state="infeasible")
    run.close()
    again = RunFolder(tmp_path, ASKED | {"data": "mnist"}, resume=False)
    assert again.scores == {}
    again.close()


def test_a_run_is_removed_when_that_is_asked_for(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, ASKED, resume=False)
    run.append([score()], 0, 0)
    (tmp_path / "finalists/x").mkdir(parents=True)
    (tmp_path / "notes.txt").write_text("mine")
    run.close()
    again = RunFolder(tmp_path, ASKED | {"data": "mnist"}, resume=False, force=True)
    assert (again.scores, again.head["request"]["data"]) == ({}, "mnist")
    again.close()
    assert not (tmp_path / "finalists").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["checkpoint.pt", "log.jsonl", "network", "plan.json"])
def test_a_folder_of_a_training_or_a_build_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    for force in (False, True):
        with pytest.raises(RunError, match=f"holds {name}, which is of no search; give another"):
            RunFolder(tmp_path, ASKED, resume=False, force=force)
    assert not (tmp_path / "run.json").exists()


def test_wrong_folders_are_refused_in_one_line(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, ASKED, resume=False)
    with pytest.raises(FolderInUseError, match=rf"another search \(process {os.getpid()}\)"):
        RunFolder(tmp_path, ASKED, resume=True)
    run.close()
    with pytest.raises(RunError, match="holds a run; go on with --resume"):
        RunFolder(tmp_path, ASKED, resume=False)
    with pytest.raises(RunError, match="holds a run with data 'digits', not 'mnist'"):
        RunFolder(tmp_path, ASKED | {"data": "mnist"}, resume=True)
    (tmp_path / "candidates.jsonl").write_text("{}\n")
    with pytest.raises(RunError, match="line 1 is damaged"):
        RunFolder(tmp_path, ASKED, resume=True)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match=r"run\.json: not JSON"):
        RunFolder(tmp_path, ASKED, resume=True)
