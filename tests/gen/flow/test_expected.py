"""The time that place and route is expected to take: from runs of about the size, else a curve."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from gen.flow import build as build_module
from gen.flow.build import build
from gen.flow.expected import (
    FILES,
    MOST,
    STARTING,
    expected_seconds,
    in_words,
    keep,
    luts,
    runs,
)  # fmt: skip
from gen.support.devices import device
from gen.support.native_tools import chosen
from tests.support.verilog import memory


@pytest.mark.parametrize("family", STARTING)
def test_starting_figures_are_met_and_larger_designs_take_longer_than_all(family: str) -> None:
    known = STARTING[family]
    assert [expected_seconds(family, n) for n, _ in known] == pytest.approx([s for _, s in known])
    ahead = [expected_seconds(family, known[-1][0] * k) for k in (1, 2, 4, 8)]
    assert all(a < b for a, b in pairwise(ahead))
    assert 0 < expected_seconds(family, 0) <= known[0][1] * 1.001


def test_own_runs_of_about_the_size_count_for_more() -> None:
    measured = [(1000, 50.0), (1100, 70.0), (1200, 60.0), (9000, 900.0)]
    assert expected_seconds("ice40", 1050, measured) == 60.0
    assert expected_seconds("ice40", 100, measured) == expected_seconds("ice40", 100)


def test_runs_are_kept_by_family_and_by_who_made_the_tools(tmp_path: Path) -> None:
    for k in range(MOST + 5):
        keep(tmp_path, "ecp5", k, 1.25)
    with chosen("native"):
        keep(tmp_path, "ecp5", 7, 0.5)
        assert runs(tmp_path, "ecp5") == [(7, 0.5)]
    assert runs(tmp_path, "ecp5") == [(k, 1.2) for k in range(5, MOST + 5)]
    assert runs(tmp_path, "gowin") == []


@pytest.mark.parametrize("damage", ["", "[]", '{"ecp5": [["a", 1]], "ice40": [], "gowin": []}'])
def test_damaged_file_is_none(tmp_path: Path, damage: str) -> None:
    (tmp_path / FILES[False]).write_text(damage)
    assert runs(tmp_path, "ecp5") == []
    keep(tmp_path, "ecp5", 10, 1.0)
    assert runs(tmp_path, "ecp5") == [(10, 1.0)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "about 5 s"), (42, "about 40 s"), (89, "about 90 s"), (525, "about 9 min")],
)
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_build_says_how_long_it_will_take_and_keeps_how_long_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    target = device("up5k")
    text = memory(64, 8)
    monkeypatch.setattr(build_module, "LONG", 0.0)
    made = build(
        text, "top", target, seeds=3, cache=tmp_path, bitstream=False, progress=said.append
    )
    assert said[1] == (
        f"place and route, 0 of 3 seeds done, about 5 s for {luts(made.cells):,} LUTs"
    )
    assert said[2] == "place and route, 1 of 3 seeds done"
    kept = runs(tmp_path, "ice40")
    assert [n for n, _ in kept] == [luts(made.cells)] * 3
    assert sum(s for _, s in kept) == pytest.approx(made.seconds["place"], abs=0.2)
    build(text, "top", target, seeds=3, cache=tmp_path, bitstream=False)
    assert runs(tmp_path, "ice40") == kept, "what was built before took no time"
