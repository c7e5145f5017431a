"""What a search says of itself when it has ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from gen.support.promises import promises
from search.report.search_table import table
from search.results.results import Costs, Finalist, SearchRun
from search.results.search_result import SearchResult
from tests.support.finalists import finalist


def made(*finalists: Finalist) -> SearchResult:
    request = {"kinds": ("mult",), "limits": {}, "budget": {}}
    run = SearchRun(Path("run"), "done", request, {}, {}, {}, {}, finalists=finalists)
    return SearchResult(run, Path("run/report.html"), 40, (), {"search": 1.5})


def limited(latency: float, most: float, **changed: Any) -> Finalist:
    costs = Costs(lut=100, latency_us=latency, energy_nj=1.0)
    held = promises({"max_latency_us": most}, {"latency_us": latency})
    error = "" if held[0].met else str(held[0])
    return finalist(0.9, 100, latency, measured=costs, promises=held, error=error, **changed)


def test_a_finalist_beyond_the_limits_is_named_and_not_on_the_front() -> None:
    good, bad = limited(90, 100), limited(103, 100)
    result = made(good, bad)
    assert (result.front, result.missed) == ([good], [bad])
    assert result.ok
    assert result.advice == ()
    row = result.as_dict()
    assert [one["key"] for one in row["front"]] == [good.key]
    assert row["missed"] == [
        {
            "key": bad.key,
            "promises": [{"name": "max_latency_us", "asked": 100, "measured": 103, "met": False}],
        }
    ]
    assert (row["run"], row["report"], row["finalists"]) == ("run", "run/report.html", 2)


def test_its_table_begins_with_the_answer() -> None:
    one = limited(90, 100, test=0.9)
    costs = replace(one.measured, dsp=0, bram=3, fmax_mhz=40)
    title = str(table(made(replace(one, measured=costs))).title)
    assert title.startswith("most accurate that fits: 0.9-100-90, 90.0 % by validation")
    assert str(table(made()).title).startswith("0 networks on the measured front")


def test_limits_that_no_finalist_keeps_fail_the_search() -> None:
    result = made(limited(103, 100), limited(140, 100))
    assert not result.ok
    (line,) = result.advice
    assert line.startswith("no finalist keeps to the limits as measured; nearest is 0.9-100-103:")
    assert "--max-latency 100us missed: 103 µs" in line


def test_a_difference_from_the_golden_model_fails_the_search() -> None:
    assert made(finalist(0.9, 100, 1)).ok
    assert not made(finalist(0.9, 100, 1), finalist(0.9, 90, 1, mismatches=1)).ok
