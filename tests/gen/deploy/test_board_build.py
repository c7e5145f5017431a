"""Boards built: real pins, a clock that is met, and what happens when it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gen.boards import BOARDS, board
from gen.boards.board import Board
from gen.boards.pins import constraints
from gen.boards.top import TOP, board_verilog
from gen.deploy import board_build
from gen.deploy.board_build import BoardBuild, build_for_board
from gen.flow.build import Build, MeasuredCost, build
from gen.support.tools import ToolError
from tests.support.board_cases import BoardText, adder

ONE_OF_EACH = ("ulx3s-25f", "icebreaker", "tang-nano-9k")


def accepts_pins(name: str, cache: Path) -> None:
    """nextpnr and the packer take the board's pins and PLL, and the timing is met."""
    one = board(name)
    clock = one.fastest(30)
    assert clock.uses_pll
    text = board_verilog(one, clock, adder(round(clock.hz), one.rate(clock)))
    made = build(text, TOP, one.device, mhz=clock.mhz, pins=constraints(one), cache=cache)
    assert made.measured.timing_met
    assert made.files["bitstream"].stat().st_size > 10_000
    if one.device.family != "gowin":  # nextpnr's own arithmetic of the PLL, in picoseconds
        clocks = json.loads(made.files["report"].read_text())["fmax"]
        (constraint,) = (c["constraint"] for c in clocks.values())
        assert constraint == pytest.approx(clock.mhz, rel=1e-3)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_tools_accept_pins_and_pll(name: str, tmp_path: Path) -> None:
    accepts_pins(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in BOARDS if n not in ONE_OF_EACH])
def test_tools_accept_pins_and_pll_of_all_others(name: str, tmp_path: Path) -> None:
    accepts_pins(name, tmp_path)


class FakeBuild:
    """Stands for gen.flow.build.build: reaches the clocks given, one after another."""

    def __init__(self, *fmax: float) -> None:
        self.fmax, self.asked, self.packed = list(fmax), list[float](), False
        self.known: dict[float, float] = {}

    def __call__(self, verilog: str, top: str, device: Any, *, mhz: float, **rest: Any) -> Build:
        if mhz not in self.known:
            self.known[mhz] = self.fmax[len(self.known)]
            self.asked.append(mhz)
        self.packed = rest["bitstream"]
        measured = MeasuredCost(1, 1, 0, 0, 0, self.known[mhz], mhz, 1)
        return Build(device, top, measured, {}, {"log": Path("place.log")}, {}, False, ())


def settle(monkeypatch: pytest.MonkeyPatch, one: Board, fake: FakeBuild) -> BoardBuild:
    monkeypatch.setattr(board_build, "build", fake)
    monkeypatch.setattr(board_build, "board_verilog", lambda *parts: "")
    return build_for_board(one, lambda hz, baud: BoardText("", "x"), guess_mhz=30)


@pytest.mark.parametrize(
    ("fmax", "asked", "chosen"),
    [
        ((58.1, 58.2), [30, 57.75], 57.75),  # a guess, then the clock that it measured
        ((30.1, 99), [30], 30),  # a guess that cannot be bettered
        ((58.1, 56.0, 56.5), [30, 57.75, 54], 54),  # missed: a step down, with a margin
        ((58.1, 56.0, 53.0, 52.0), [30, 57.75, 54, 51], 51),  # and one more
        ((58.1, 56.0, 58.0, 57.0), [30, 57.75, 54, 56.25], 56.25),  # up again, with a margin
        ((58.1, 56.0, 60.0), [30, 57.75, 54], 54),  # what was missed is not tried again
        ((58.1, 63.1, 50.0, 60.1), [30, 57.75, 63, 60], 60),  # a climb too far: halfway
        ((58.1, 63.1, 50.0, 50.0), [30, 57.75, 63, 60], 57.75),  # and halfway too far: back
        ((58.1, 63.1, 62.0, 62.0), [30, 57.75, 63, 60], 60),  # one that does not
        ((28.0, 27.5), [30, 27], 27),  # a guess that is missed
        ((12.1, 12.0), [30, 12], 12),  # no margin below the slowest clock
    ],
)
def test_the_fastest_clock_that_is_met_is_chosen(
    fmax: tuple[float, ...],
    asked: list[float],
    chosen: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeBuild(*fmax)
    settled = settle(monkeypatch, board("icebreaker"), fake)
    assert fake.asked == asked == [t.mhz for t in settled.tries]
    assert settled.clock.mhz == settled.build.measured.mhz == chosen
    assert settled.build.measured.timing_met
    assert fake.packed


def test_timing_that_is_missed_again_and_again_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeBuild(29.0, 27.0, 25.0, 23.0, 21.0)
    with pytest.raises(ToolError, match=r"missed in 5 runs: 29\.00 of 30\.00"):
        settle(monkeypatch, board("icebreaker"), fake)
    assert not fake.packed, "no bitstream of a design that misses its timing"


def test_design_slower_than_any_clock_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="timing: nextpnr-ice40: icebreaker: no clock of 9 MHz"):
        settle(monkeypatch, board("icebreaker"), FakeBuild(9.0))


def test_guess_below_every_clock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="icebreaker: no clock of 5 MHz or less"):
        build_for_board(
            board("icebreaker"), lambda hz, baud: adder(hz, baud), guess_mhz=5, cache=tmp_path
        )


def test_pin_that_is_not_there_is_refused_by_the_tools(tmp_path: Path) -> None:
    one = replace(board("icebreaker"), button=None)
    clock = one.fastest(30)
    text = board_verilog(one, clock, adder(round(clock.hz), one.rate(clock)))
    pins = constraints(one).replace("rx 6", "rx 999")
    with pytest.raises(ToolError, match="999"):
        build(text, TOP, one.device, mhz=clock.mhz, pins=pins, cache=tmp_path)
