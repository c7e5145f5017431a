"""The cache of built steps: hits, damage, failure and interruption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gen.support.cache import INDEX, Cache, CacheEntry
from gen.support.tools import ToolError


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


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "out").write_text("aab"),
        lambda folder: (folder / "out").unlink(),
        lambda folder: (folder / INDEX).write_text('{"key": '),
        lambda folder: (folder / INDEX).write_text("[]"),
        lambda folder: (folder / INDEX).unlink(),
    ],
)
def test_damaged_entry_is_made_again(step: Step, damage: Callable[[Path], object]) -> None:
    damage(step("a").folder)
    again = step("a")
    assert (step.runs, again.cached) == (2, False)
    assert (again.folder / "out").read_text() == "aaa"
    assert step("a").cached


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
