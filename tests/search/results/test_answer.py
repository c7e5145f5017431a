"""The answer to what a search was for, with what chance leaves open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.confusion import ConfusionMatrix
from search.results.answer import answer, chosen, interval
from search.results.results import Costs, Finalist, SearchRun


def finalist(key: str, validation: float, lut: float) -> Finalist:
    costs = Costs(lut=lut, latency_us=12.5, energy_nj=900)
    return Finalist(
        key=key, share=1.0, round=0, kinds=("mult",), inherited=None, validation=validation,
        test=0.9, searched=costs, predicted=costs, measured=costs, images=20, mismatches=0,
        error="", folder=Path(key),
    )  # fmt: skip


def run(**goal: Any) -> SearchRun:
    finalists = (finalist("best", 0.92, 8000), finalist("small", 0.88, 2000))
    request = {"goal": {"name": "front", "min_accuracy": None} | goal}
    return SearchRun(Path("run"), "done", request, {}, {}, {}, {}, finalists=finalists)


def test_the_best_that_fits() -> None:
    said = "most accurate that fits: best, 92.0 % by validation, 90.0 % of the test images, "
    assert answer(run()) == f"{said}8,000 LUTs, 12.5 µs, 900 nJ"


def test_the_smallest_that_is_accurate_enough() -> None:
    small = chosen(run(name="smallest", min_accuracy=0.85))
    assert small is not None
    assert small.key == "small"
    assert answer(run(name="smallest", min_accuracy=0.9)).startswith(
        "fewest LUTs at 0.9 or more: b"
    )


def test_none_is_accurate_enough() -> None:
    said = answer(run(name="smallest", min_accuracy=0.95))
    assert said.startswith("no network reaches --min-accuracy 0.95: the best has 0.9200")
    assert answer(replace(run(), finalists=())) == ""


def test_test_images_come_with_an_interval() -> None:
    counts = ConfusionMatrix(("a", "b"), ((45, 5), (5, 45)))
    one = replace(finalist("best", 0.92, 8000), confusion=counts)
    said = answer(replace(run(), finalists=(one,)))
    assert ", 90.0 % of 100 test images (82.6 to 94.5 with 95 %), " in said


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(0.9, 100, 0.8256, 0.9448), (1.0, 10, 0.7225, 1.0), (0.0, 10, 0.0, 0.2775)],
)
def test_interval_is_wilsons(right: float, count: int, low: float, high: float) -> None:
    assert interval(right, count) == pytest.approx((low, high), abs=1e-4)
