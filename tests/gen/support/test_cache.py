"""The cache of built steps: hits, damage, failure and interruption."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gen.support import cache
from gen.support.cache import INDEX, Cache, CacheEntry
from gen.support.tools import ToolError
from tests.support.paths import ROOT


class Step:
    """Writes its input to a file, counting how often it had to."""

    def __init__(self, cache: Cache) -> None:
        self.cache, self.runs = cache, 0

    def __call__(self, text: str) -> CacheEntry:
        def make(folder: Path) -> float:
            self.runs += 1
            (folder / "out").write_text(text * 3)
            return 1.5

        return self.cache.step("triple", {"text": text}, make)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(Cache(tmp_path / "deep" / "cache"))


def test_second_time_is_read_not_made(step: Step) -> None:
    first, second, other = step("a"), step("a"), step("b")
    assert (step.runs, first.cached, second.cached) == (2, False, True)
    assert (second.folder, second.files, second.seconds) == (first.folder, first.files, 1.5)
    assert (other.folder / "out").read_text() == "bbb"
    assert (first.folder / "out").read_text() == "aaa"


def _indexed(folder: Path, **changes: object) -> None:
    index = json.loads((folder / INDEX).read_text()) | changes
    (folder / INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "out").write_text("aab"),
        lambda folder: (folder / "out").unlink(),
        lambda folder: (folder / INDEX).write_text('{"key": '),
        lambda folder: (folder / INDEX).write_text("[]"),
        lambda folder: (folder / INDEX).unlink(),
        lambda folder: (folder / "more").touch(),
        lambda folder: (folder / "more").mkdir(),
        lambda folder: (folder / "out").rename(folder / "x") and (folder / "out").symlink_to("x"),
        lambda folder: _indexed(folder, files={}),
        lambda folder: _indexed(folder, files={"../other/out": "0" * 64}),
    ],
)
def test_damaged_entry_is_made_again(step: Step, damage: Callable[[Path], object]) -> None:
    damage(step("a").folder)
    again = step("a")
    assert (step.runs, again.cached) == (2, False)
    assert (again.folder / "out").read_text() == "aaa"
    assert step("a").cached


def test_sealed_entry_of_somebody_else_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With right hashes: who has no key of this user cannot seal them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    step = Step(Cache(tmp_path / "cache"))
    folder = step("a").folder
    assert (tmp_path / "other/shiftadd/key").stat().st_mode & 0o777 == 0o600
    assert step("a").cached
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "mine"))
    assert not step("a").cached
    assert step("a").cached
    for seal in ("0" * 64, None, 7, "é"):
        (folder / "out").write_text("evil")
        digest = hashlib.sha256(b"evil").hexdigest()
        _indexed(folder, files={"out": digest}, seal=seal)
        assert not step("a").cached
        assert (folder / "out").read_text() == "aaa"
    _indexed(folder, key="x")
    assert not step("a").cached
    index = json.loads((folder / INDEX).read_text())
    del index["seal"]
    (folder / INDEX).write_text(json.dumps(index))
    assert not step("a").cached


KEY = """
from gen.support.seal import seal
print(seal("x"))
"""


def sealed(tmp_path: Path, **env: str) -> str:
    """The seal that a process of its own makes."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)} | env
    run = subprocess.run(
        [sys.executable, "-c", KEY], env=env, capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    return run.stdout


def test_without_a_home_that_can_be_written_the_key_is_with_temporary_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / f"shiftadd-{os.getuid()}"
    first, again = (sealed(tmp_path, XDG_STATE_HOME=str(tmp_path / "file")) for _ in "ab")
    assert first == again
    assert (place.stat().st_mode & 0o777, [p.name for p in place.iterdir()]) == (0o700, ["key"])


@pytest.mark.parametrize("kind", ["short", "fifo", "folder"])
def test_what_is_no_key_is_not_taken_for_one(kind: str, tmp_path: Path) -> None:
    key = tmp_path / "state/shiftadd/key"
    key.parent.mkdir(parents=True)
    if kind == "short":
        key.write_bytes(b"x")
    else:
        os.mkfifo(key) if kind == "fifo" else key.mkdir()
    (tmp_path / f"shiftadd-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"shiftadd-{os.getuid()}").chmod(0o777)
    state = str(tmp_path / "state")
    assert sealed(tmp_path, XDG_STATE_HOME=state) != sealed(tmp_path, XDG_STATE_HOME=state)


def test_an_entry_of_another_user_stays_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be using it."""
    step = Step(Cache(tmp_path))
    theirs = step("a").folder
    (tmp_path / "failed").mkdir()
    monkeypatch.setattr(cache, "_user", lambda: os.getuid() + 1)
    monkeypatch.setattr(cache, "seal", lambda message: "mine")
    monkeypatch.setattr(cache, "genuine", lambda message, claimed: claimed == "mine")
    mine = step("a")
    assert (mine.cached, step("a").cached, step.runs) == (False, True, 2)
    assert mine.folder.name == f"{theirs.name}-{os.getuid() + 1}"
    monkeypatch.undo()
    assert step("a") == CacheEntry(theirs, mine.files, 1.5, cached=True)


def test_a_huge_file_in_an_entry_is_not_read_into_memory(step: Step) -> None:
    folder = step("a").folder
    os.truncate(folder / "out", 1 << 40)
    assert not step("a").cached
    os.truncate(folder / INDEX, 1 << 40)
    assert not step("a").cached


def test_failed_step_keeps_its_log_and_nothing_else(tmp_path: Path) -> None:
    def make(folder: Path) -> float:
        (folder / "a.log").write_text("it broke")
        raise ToolError("a step", "a tool", "it broke", folder / "a.log")

    with pytest.raises(ToolError, match="a step: a tool: it broke") as error:
        Cache(tmp_path).step("bad", {}, make)
    assert error.value.log.read_text() == "it broke"
    assert str(error.value.log) in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["failed"]


def test_interrupted_step_leaves_nothing(tmp_path: Path) -> None:
    def make(folder: Path) -> float:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).step("cut", {}, make)
    assert list(tmp_path.iterdir()) == []


def test_two_builds_of_one_step_agree(tmp_path: Path) -> None:
    """While one build makes an entry, another one finishes it first."""
    inner = Step(Cache(tmp_path))

    def make(folder: Path) -> float:
        inner("a")
        (folder / "out").write_text("aaa")
        return 2.0

    entry = Cache(tmp_path).step("triple", {"text": "a"}, make)
    assert (entry.folder / "out").read_text() == "aaa"
    assert inner("a").cached
    assert len(list(tmp_path.iterdir())) == 1
