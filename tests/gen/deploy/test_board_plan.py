"""Plans for boards leave room for the link; what is held free for it is what it takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gen.boards import board
from gen.boards.pins import constraints
from gen.boards.top import TOP, board_verilog
from gen.deploy.board_plan import (
    FFS,
    LUTS,
    beside_link,
    check_beside_link,
    plan_for_board,
    predicted_mhz,
)
from gen.deploy.deployable import prepare
from gen.flow.build import build
from gen.planner import planner
from gen.planner.fold_optimiser import ResourceBudget
from gen.support.errors import DoesNotFitError, PlanError
from gen.support.verilog import verilog
from model import store
from rtl.link.link import Link
from tests.support.board_cases import BoardText
from tests.support.paths import DIGITS_HYBRID

NETWORK = store.load(DIGITS_HYBRID)
LOOP = "shiftadd_board"


def looped(clock_hz: int, baud: int, image_bytes: int, score_bytes: int) -> BoardText:
    """A link whose accelerator is a piece of wire."""
    link = Link(
        clock_hz=clock_hz,
        baud=baud,
        image_bytes=image_bytes,
        score_bytes=score_bytes,
        identity=bytes(range(1, 100)),
        self_test=(bytes(i * 7 % 251 for i in range(image_bytes)), bytes(score_bytes)),
    )
    parts = {"tdata": "[7:0] ", "tvalid": "", "tready": "", "tlast": ""}
    wires = "".join(f"wire {width}{part}; " for part, width in parts.items())
    ends = ", ".join(f".{side}_axis_{part}({part})" for side in "sm" for part in parts)
    top = f"""
module {LOOP}(input clk, input rst, input rx, output tx, output led_busy, output led_error);
{wires}
link link(.clk(clk), .rst(rst), .rx(rx), .tx(tx), .busy(led_busy), .error(led_error), {ends});
endmodule
"""
    return BoardText(verilog(link, "link") + top, LOOP)


@pytest.mark.slow(sample=1)
@pytest.mark.parametrize("name", ["icebreaker", "ulx3s-25f", "tang-nano-9k"])
def test_the_link_takes_no_more_than_is_held_for_it(name: str, tmp_path: Path) -> None:
    one = board(name)
    device, _ = beside_link(NETWORK, one.device)
    clock = one.fastest(20)
    text = board_verilog(one, clock, looped(round(clock.hz), one.rate(clock), 64, 21))
    pins = constraints(one)
    made = build(text, TOP, one.device, mhz=20, bitstream=False, pins=pins, cache=tmp_path)
    family = one.device.family
    assert LUTS[family] // 2 < made.measured.lut <= LUTS[family]
    assert made.measured.ff <= FFS
    assert made.measured.bram <= one.device.bram - device.bram


@pytest.mark.parametrize("name", ["icebreaker", "tang-nano-9k"])
def test_plan_leaves_room_for_the_link(name: str) -> None:
    one = board(name)
    cost = plan_for_board(NETWORK, one).cost
    assert cost.lut + LUTS[one.device.family] <= ResourceBudget.of(one.device).lut
    assert cost.bram < one.device.bram


def test_fewer_luts_can_be_asked_for() -> None:
    free = plan_for_board(NETWORK, board("ulx3s-25f")).cost
    less = plan_for_board(NETWORK, board("ulx3s-25f"), luts=free.lut / 2).cost
    assert less.lut <= free.lut / 2


def test_board_too_small_for_the_link_is_refused() -> None:
    with pytest.raises(
        PlanError, match="ice40-hx1k: the serial link alone takes 1500 of 1280 LUTs"
    ):
        plan_for_board(NETWORK, board("icestick"))


def test_plan_that_leaves_no_room_for_the_link_is_refused() -> None:
    one = board("icebreaker")
    check_beside_link(plan_for_board(NETWORK, one), NETWORK, one)
    alone = planner.plan(NETWORK, one.device)
    with pytest.raises(
        DoesNotFitError, match=r"icebreaker: the plan takes 4,\d+ LUTs, the serial link"
    ):
        check_beside_link(alone, NETWORK, one)
    with pytest.raises(PlanError, match="planned for ice40-up5k, but ulx3s-25f has lfe5u-25f"):
        check_beside_link(alone, NETWORK, board("ulx3s-25f"))


def test_a_plan_that_is_there_is_deployed_as_it_is() -> None:
    one = board("icebreaker")
    given = plan_for_board(NETWORK, one, fps=2000)
    image = np.zeros((8, 8, 1), dtype=np.int64)
    assert prepare(NETWORK, one, image=image, place=False, plan=given).plan == given


@pytest.mark.parametrize(
    ("name", "fps", "built_mhz"),
    [("icebreaker", None, 32.25), ("tang-nano-9k", None, 86.4), ("ulx3s-25f", 130_000, 98.44)],
)
def test_clock_is_predicted_with_the_link(name: str, fps: float | None, built_mhz: float) -> None:
    """Beside what build_for_board found, of this network, when it was last run for that."""
    one = board(name)
    plan = plan_for_board(NETWORK, one, fps=fps)
    assert predicted_mhz(plan, one) == pytest.approx(built_mhz, rel=0.25)
