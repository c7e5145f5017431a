"""A search on another device than the CPU: the same scores and networks; and where it goes on."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from model import device
from model.errors import RequestError
from search.evolve import scoring
from search.evolve.objectives import NO_LIMITS
from search.evolve.scoring import Job, ScoringSetup, evaluate, images
from search.results.results import RunError
from search.run import executor, speeds, tuning
from search.run import search as searches
from search.run.request import Request
from search.run.run_folder import RunFolder
from search.run.speeds import SpeedJob, clock
from search.run.tuning import Training, TuneJob, further, probe, teach
from search.space import space_files
from search.space.space import Space
from search.supernet.supernet import SuperNet
from tests.support.search_fakes import TINY
from tests.support.second_device import second_device, without_loops

SEARCH: dict[str, Any] = {"data": "digits", "board": "up5k", "quiet": True}


def search_request() -> Request:
    return Request.make(
        "digits", "up5k", None, (), "evolution", "heterogeneous", 3, NO_LIMITS, {}
    )  # fmt: skip


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Space]:
    """A tiny one with a supernet that knows nothing, and few digits."""
    (tmp_path / "tiny.toml").write_text(TINY)
    made = space_files.load(str(tmp_path / "tiny.toml"))
    data = images("digits")
    few = replace(
        data, train_images=data.train_images[:64], train_labels=data.train_labels[:64],
        test_images=data.test_images[:16], test_labels=data.test_labels[:16],
    )  # fmt: skip
    for place in (scoring, speeds, tuning):
        monkeypatch.setattr(place, "images", lambda name: few)
    torch.manual_seed(0)
    supernet = SuperNet(made)
    monkeypatch.setattr(scoring, "load_supernet", lambda *_: copy.deepcopy(supernet).eval())
    without_loops(monkeypatch)
    scoring.supernet.cache_clear()
    yield made
    scoring.supernet.cache_clear()


def test_scores_and_trainings_are_those_of_the_cpu(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scoring, teacher, a probe and one that is taught by scores that are kept, a later rung; what
    is timed is computed there as well."""
    candidate = space.largest("add")

    def run(compute: str) -> tuple[Any, ...]:
        setting = ScoringSetup(space, "", "digits", "up5k", compute=compute)
        net = scoring.inherit_here(setting, candidate)
        assert net.device == device.device_of(compute)
        first, last = str(tmp_path / compute / "first"), str(tmp_path / compute / "last")
        job = TuneJob(setting, Training(1, 3), space.largest("mult"), str(tmp_path / compute / "t"))
        training = Training(2, 3, teach(job))
        sample = probe(TuneJob(setting, training, candidate, first))
        other = probe(TuneJob(setting, training, space.largest("shift"), f"{first}-other"))
        accuracy = further(TuneJob(setting, training.at(1, 1), candidate, last, first))
        return evaluate(Job(setting, candidate, (1.0, 0.5))), sample, other, accuracy

    with second_device(monkeypatch):
        there = run("cuda")
        clock(SpeedJob(ScoringSetup(space, "", "digits", "up5k", compute="cuda"), candidate))
    monkeypatch.setattr(device, "gpus", lambda: 1)  # which is not to be taken
    assert there == run("cpu")


def test_workers_are_told_what_a_device_is_chosen_by() -> None:
    assert executor.RANK == device.RANK


def test_a_request_names_the_device_only_where_it_is_a_gpu(tmp_path: Path) -> None:
    asked = search_request()
    assert "compute" not in asked.as_dict()
    RunFolder(tmp_path / "cpu", asked.as_dict(), resume=False).close()
    gpu = replace(asked, compute="cuda").as_dict()
    RunFolder(tmp_path / "cuda", gpu, resume=False).close()
    with pytest.raises(RunError, match="holds a run with compute None, not 'cuda'; resume"):
        RunFolder(tmp_path / "cpu", gpu, resume=True)
    with pytest.raises(RunError, match="holds a run with compute 'cuda', not None; resume"):
        RunFolder(tmp_path / "cuda", asked.as_dict(), resume=True)


def test_a_search_goes_on_where_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless it is told of a device; a cluster's devices are its own affair."""
    RunFolder(tmp_path, search_request().as_dict(), resume=False).close()
    monkeypatch.setattr(device, "gpus", lambda: 2)
    assert searches._compute("auto", None, None) == "cuda"
    assert searches._compute("auto", None, tmp_path) == "cpu"
    assert searches._compute("auto", None, tmp_path / "none") == "cuda"
    assert searches._compute("cuda", None, tmp_path) == "cuda"
    monkeypatch.setattr(device, "gpus", lambda: 0)
    assert searches._compute("auto", None, None) == "cpu"
    assert searches._compute("cuda", "tcp://host:1", None) == "cuda"
    with pytest.raises(RequestError, match="no CUDA device here"):
        searches._compute("cuda", None, None)


@pytest.mark.parametrize(("found", "given", "workers"), [(0, None, 2), (3, None, 3), (3, 5, 5)])
def test_a_worker_for_each_gpu(
    found: int, given: int | None, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AskedError(Exception):
        """Ends a search where it would start its workers."""

    def pool(count: int, scheduler: str | None) -> None:
        asked.append(count)
        raise AskedError

    asked: list[int] = []
    for place in (device, searches):
        monkeypatch.setattr(place, "gpus", lambda: found)
    monkeypatch.setattr(searches, "Pool", pool)
    with pytest.raises(AskedError):
        searches.search(**SEARCH, out=tmp_path, workers=given)
    assert asked == [workers]
