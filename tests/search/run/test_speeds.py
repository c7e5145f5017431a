"""What is timed at the start of a search of a given time, by a made-up clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from search.evolve.objectives import Limits
from search.evolve.scoring import ScoringSetup, images
from search.run import speeds
from search.run.plan import Speeds
from search.run.speeds import TAUGHT, SpeedJob, Timed, build_times, clock, measure
from search.space import space_files
from search.supernet.sandwich import teacher
from search.supernet.supernet_train import train_supernet
from tests.support.search_fakes import TINY


def test_seconds_are_those_of_the_whole_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    space = space_files.load(str(tmp_path / "tiny.toml"))
    shown = images("digits")
    few = replace(shown, train_images=shown.train_images[:64], train_labels=shown.train_labels[:64])
    train_supernet(space, few, epochs=1, out=tmp_path / "supernet", quiet=True)
    ticks, worked = count(), count(0, 2)
    made_up = SimpleNamespace(
        monotonic=lambda: float(next(ticks)), process_time=lambda: float(next(worked))
    )
    monkeypatch.setattr(speeds, "time", made_up)
    trained: list[tuple[int, int, int]] = []

    def train(arch: Any, data: Any, *, epochs: int, recipe: Any, **_: Any) -> Any:
        trained.append((len(data.train_labels), len(data.test_labels), recipe.threads))
        return SimpleNamespace(seconds=3.0 * epochs)

    monkeypatch.setattr(speeds, "train", train)
    setting = ScoringSetup(space, str(tmp_path / "supernet"), "digits", "up5k")
    timed = clock(SpeedJob(setting, teacher(space), threads=2))
    ((images_seen, judged, threads),) = trained
    whole = len(shown.train_labels)
    assert images_seen < whole
    assert judged / len(shown.test_labels) == pytest.approx(images_seen / whole, abs=0.01)
    assert threads == 2
    assert timed == Timed(1.0, 3.0 * whole / images_seen, whole / TAUGHT, 1.5)


class Pool:
    """Two workers, to whom everything takes as long as is said."""

    size = 2

    def run(
        self, work: Callable[[SpeedJob], Timed], jobs: Sequence[SpeedJob]
    ) -> Iterator[tuple[SpeedJob, Timed]]:
        for job in jobs:
            many = job.threads == 1
            yield job, Timed(1.0, 10.0, 4.0, 3.0) if many else Timed(9.0, 30.0, 8.0, 1.0)


def test_larger_finalists_take_longer() -> None:
    setting = ScoringSetup(space_files.load("8x8"), "", "digits", "up5k", Limits(max_luts=3000))
    assert build_times(setting, []) == build_times(setting, [1500]) == 1
    assert build_times(setting, [1500, 3000]) > 1 > build_times(setting, [500])


@pytest.mark.parametrize(("kept", "build"), [((), 180.0), ((50.0,), 165.0)])
def test_a_busy_machine_builds_as_it_did_or_more_slowly(
    kept: tuple[float, ...], build: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of place and route that was timed here it is known what other work costs."""
    asked: list[int] = []

    def expected(family: str, size: int, known: Sequence[float] = ()) -> float:
        asked.append(size)
        return known[0] if known else 20.0

    monkeypatch.setattr(speeds, "expected_seconds", expected)
    monkeypatch.setattr(speeds, "runs", lambda cache, family: kept)
    space = space_files.load("8x8")
    setting = ScoringSetup(space, "", "digits", "up5k", Limits(max_luts=3000))
    measured = measure(cast(Any, Pool()), setting, 0)
    assert measured == Speeds(score=0.5, epoch=5.0, teacher=30.0, told=8.0, build=build / 2)
    assert asked == [1500, 1500]
