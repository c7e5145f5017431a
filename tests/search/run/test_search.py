"""The search as a stranger uses it: wrong requests, a small real search, killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from model import data, golden, store
from model.errors import RequestError
from model.lock import folder_lock
from search.results.results import RunError
from search.results.results_files import load
from search.run import search as searches
from search.run.plan import Speeds
from search.run.progress import Show
from shiftadd.cli.search import microseconds
from tests.support.command_line import call
from tests.support.paths import ROOT
from tests.support.search_fakes import TINY

SMALL = (
    *("--population", 6, "--generations", 2, "--finalists", 1, "--rounds", 1),
    *("--trained", 4, "--rungs", 2, "--teacher-epochs", 1),
    *("--epochs", 1, "--supernet-epochs", 1, "--probes", 6, "--workers", 1),
)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--data", "mnist"), "mnist: no such data set; give digits"),
        (("--data", "digits", "--board", "up6k"), "unknown device or board 'up6k': did you mean"),
        (("--data", "digits", "--kinds", "mult,xor"), "kinds xor: not in space 8x8, which has add"),
        (("--data", "digits", "--space", "9x9"), "9x9: neither a file nor a built-in space"),
        (("--data", "digits", "--space", "28x28"), "space 28x28 is for (28, 28, 1) at 8 bits"),
        (("--data", "digits", "--sampler", "best"), "--sampler best: must be one of evolution"),
        (("--data", "digits", "--sharing", "all"), "--sharing all: must be one of heterogeneous"),
        (("--data", "digits", "--population", 2), "--population 2: must be a whole number from 4"),
        (("--data", "digits", "--max-latency", "soon"), "'soon' must be a time, as 100us or 2ms"),
        (
            ("--data", "digits", "--max-latency", "0ms"),
            "--max-latency 0: must be a finite number",
        ),
        (("--data", "digits", "--max-luts", 0), "--max-luts 0: must be a whole number, at least 1"),
        (("--data", "digits", "--fps", -5), "--fps -5: must be a finite number, more than 0"),
        (("--data", "digits", "--dsps", -1), "--dsps -1: must be a whole number, at least 0"),
        (("--data", "digits", "--device", "gpu"), "--device gpu: must be one of auto, cpu, cuda"),
        (("--data", "digits", "--workers", 0), "--workers 0: must be a whole number from 1"),
        (("--data", "digits", "--time", 5), "--time 5: must be a finite number, at least 60"),
    ],
)
def test_wrong_requests(
    words: tuple[object, ...], line: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    status, out, err = call(capsys, "search", *words)
    assert (status, out) == (2, "")
    assert line in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_times() -> None:
    times = {"100": 100, "100us": 100, "0.5ms": 500, "2 s": 2e6, "3µs": 3}
    assert {text: microseconds(text) for text in times} == times


class SupernetIsThereError(Exception):
    """Ends a search where it would train its supernet."""


def test_two_searches_of_one_supernet_train_it_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(*_: Any, **__: Any) -> None:
        order.append("second")
        raise SupernetIsThereError

    monkeypatch.setattr(searches, "train_supernet", trained)
    order: list[str] = []
    said = threading.Event()

    def say(show: Show, line: str) -> None:
        order.append(line)
        said.set()

    monkeypatch.setattr(Show, "say", say)
    shared = tmp_path / "supernet"

    def second() -> None:
        with pytest.raises(SupernetIsThereError):
            searches.search(
                data="digits", board="hx8k", out=tmp_path / "b", supernet=shared, quiet=True
            )

    with folder_lock(shared, "search", name=searches.PREPARING):
        other = threading.Thread(target=second, daemon=True)
        other.start()
        assert said.wait(60)
        order.append("first")
    other.join(60)
    assert order == [
        f"{shared}: another search (process {os.getpid()}) is running there; waiting for it",
        "first", "second",
    ]  # fmt: skip


def test_a_run_whose_data_have_changed_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(*_: Any, **__: Any) -> None:
        raise SupernetIsThereError

    monkeypatch.setattr(searches, "train_supernet", trained)
    options: dict[str, Any] = {"data": "digits", "board": "hx8k", "out": tmp_path, "quiet": True}
    for resume in (False, True):
        with pytest.raises(SupernetIsThereError):
            searches.search(**options, resume=resume, supernet=tmp_path / "supernet")
    monkeypatch.setattr(data.Dataset, "digest", "another")
    with pytest.raises(
        RunError, match=r"digits is another, the run was begun with .*: its content"
    ):
        searches.search(**options, resume=True, supernet=tmp_path / "supernet")


def test_too_little_time_makes_way_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepared(*_: Any, **__: Any) -> None:
        raise SupernetIsThereError

    monkeypatch.setattr(searches, "_supernet", lambda *_: None)
    monkeypatch.setattr(searches, "measure", lambda *_: Speeds(1, 1, 1, 1, 1000))
    monkeypatch.setattr(searches, "_prepare", prepared)
    options: dict[str, Any] = {"data": "digits", "board": "hx8k", "out": tmp_path, "quiet": True}
    options["supernet"] = tmp_path / "supernet"
    with pytest.raises(RequestError, match=r"^--time 10m: the least that a search takes here is"):
        searches.search(**options, seconds=600)
    with pytest.raises(SupernetIsThereError):
        searches.search(**options, seconds=36_000)


@pytest.mark.slow(sample=1)
def test_killed_and_resumed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real search, cut by kill -9 while it scores, goes on to a front that is what it says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    words = ("--data", "digits", "--board", "up5k", "--space", "tiny.toml", "--out", "run", *SMALL)
    scores = tmp_path / "run/candidates.jsonl"
    _kill_when(words, lambda: scores.is_file() and scores.read_bytes().count(b"\n") >= 4)
    before = scores.read_bytes().splitlines()[:4]

    status, out, err = call(capsys, "search", *words, "--resume", "--json")
    assert (status, err) == (0, "")
    answer = json.loads(out)
    lines = scores.read_bytes().splitlines()
    assert lines[:4] == before
    assert len({json.loads(line)["key"] for line in lines}) == len(lines) == answer["evaluations"]
    _check_front(answer)

    status, again, _ = call(capsys, "search", *words, "--resume", "--json")
    assert (status, json.loads(again)["front"]) == (0, answer["front"])
    assert scores.read_bytes().splitlines() == lines, "nothing was scored again"


def _kill_when(words: tuple[object, ...], ready: Any) -> None:
    command = [sys.executable, "-m", "shiftadd", "search", *map(str, words)]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while not ready():
        assert child.poll() is None, "ended by itself"
        assert time.monotonic() < until, "took too long"
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()


def _check_front(answer: dict[str, Any]) -> None:
    """The finalist is a Network that is as accurate as it says, and proven; so says the report."""
    run = load(Path(answer["run"]))
    assert [one.key for one in run.front] == [row["key"] for row in answer["front"]]
    (finalist,) = run.front
    assert (finalist.images, finalist.mismatches) == (20, 0)
    assert finalist.measured.lut
    network = store.load(finalist.folder / "network")
    digits = data.load("digits")
    tests = torch.from_numpy(digits.test_images), torch.from_numpy(digits.test_labels)
    assert golden.accuracy(network, *tests) == finalist.test
    assert (finalist.folder / "shiftadd_top.bin").is_file()
    assert finalist.key in Path(answer["report"]).read_text()
