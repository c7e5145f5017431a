"""compile: limits are promises, held against what place and route measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gen.compile
from gen.flow.build import Build, MeasuredCost
from gen.plan.plan import load
from tests.support.command_line import call
from tests.support.paths import DIGITS_HYBRID


class Builds:
    """In place of place and route: `cost` is measured, whatever is built."""

    def __init__(self, folder: Path, **cost: float) -> None:
        bitstream = folder / "made.bin"
        bitstream.touch()
        usual: dict[str, Any] = {"lut": 4000, "ff": 900, "dsp": 8, "bram": 10, "fmax_mhz": 40.0}
        self.cost = MeasuredCost(**usual | cost, ram16x4=0, mhz=40.0, seed=1)
        self.files = {"bitstream": bitstream}

    def __call__(self, verilog: str, top: str, device: Any, **options: Any) -> Build:
        mhz = options["mhz"] or device.mhz
        cost = replace(self.cost, mhz=mhz)
        return Build(device, top, cost, {}, self.files, {"place": 1.0}, False, ("a 1",))


def compiled(
    capsys: pytest.CaptureFixture[str], folder: Path, *words: object
) -> tuple[int, dict[str, Any]]:
    status, out, _ = call(
        capsys, "compile", DIGITS_HYBRID, "--board", "up5k", "--out", folder / "out", *words,
        "--json",
    )  # fmt: skip
    return status, json.loads(out)


def test_a_rate_that_is_missed_fails_and_says_what_meets_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = Builds(tmp_path, fmax_mhz=20.0)
    monkeypatch.setattr(gen.compile, "build", builds)
    status, made = compiled(capsys, tmp_path, "--fps", 5000)
    (promise,) = made["promises"]
    assert (promise["name"], promise["asked"], promise["met"]) == ("fps", 5000, False)
    assert promise["measured"] == made["measured"]["inferences_per_s"] < 5000
    assert status == 1
    (line,) = made["advice"]
    assert line.startswith("--fps 5000 missed: ")
    assert json.loads((tmp_path / "out/report.json").read_text())["promises"] == made["promises"]

    words = line.split()
    better = words[words.index("--fps", 1) + 1]
    status, made = compiled(capsys, tmp_path, "--fps", better)
    rate = made["measured"]["inferences_per_s"]
    assert rate >= 5000, "the request that was named does meet it"


def test_a_rate_is_planned_for_at_a_clock_that_nine_of_ten_networks_reach(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gen.compile, "build", Builds(tmp_path, fmax_mhz=40.0))
    status, made = compiled(capsys, tmp_path, "--fps", 5000)
    assert (status, made["advice"]) == (0, [])
    plan = load(tmp_path / "out/plan.json")
    assert plan.cycles_interval <= 0.9 * made["predicted"]["fmax_mhz"] * 1e6 / 5000


@pytest.mark.parametrize(
    ("words", "cost", "line"),
    [
        (("--luts", 4000), {"lut": 4200}, "--luts 4000 missed: 4,200 LUTs; --luts 3771 leaves"),
        (("--mhz", 44), {"fmax_mhz": 43.0}, "--mhz 44 missed: 43 MHz; --seeds 8 (the best of"),
        (("--dsps", 4), {"dsp": 5}, "--dsps 4 missed: 5 multipliers"),
    ],
)
def test_every_limit_is_a_promise(
    words: tuple[object, ...], cost: dict[str, float], line: str,
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(gen.compile, "build", Builds(tmp_path, **cost))
    status, made = compiled(capsys, tmp_path, *words)
    assert status == 1
    assert made["advice"][0].startswith(line)
    assert [one["met"] for one in made["promises"]] == [False]
