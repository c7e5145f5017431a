"""Devices: names, block counts that yosys agrees with, and pins that hold the accelerator."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.flow.place import constraints
from gen.support.devices import BOARDS, DEVICES, device
from gen.support.errors import DoesNotFitError
from tests.support.netlists import BLOCK_CELLS, blocks
from tests.support.verilog import memory, weights

PINS = [
    *("clk", "rst", "s_axis_tvalid", "s_axis_tready", "s_axis_tlast"),
    *("m_axis_tvalid", "m_axis_tready", "m_axis_tlast"),
    *(f"{side}_axis_tdata[{i}]" for side in "sm" for i in range(8)),
]


def test_every_board_names_a_device_in_any_case() -> None:
    for board, name in BOARDS.items():
        assert device(board.upper()) is DEVICES[name]


def test_unknown_name_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(ValueError, match="did you mean ulx3s-25f") as error:
        device("ulx3s-25")
    assert str(error.value).startswith("unknown device or board 'ulx3s-25': ")
    assert "\n" not in str(error.value)
    assert all(name in str(error.value) for name in DEVICES)
    with pytest.raises(ValueError, match="unknown device or board 'zzzz': known are"):
        device("zzzz")


@pytest.mark.parametrize("name", BLOCK_CELLS)
@pytest.mark.parametrize(
    ("depth", "width"),
    [(20, 40), (200, 18), (256, 16), (512, 37), (1024, 9), (2048, 11), (4096, 5)],
)
def test_block_count_is_what_yosys_takes(name: str, depth: int, width: int, tmp_path: Path) -> None:
    assert blocks(name, memory(depth, width), tmp_path) == device(name).brams(depth, width)


@pytest.mark.slow(sample=1)
@pytest.mark.parametrize(
    ("name", "depth", "width", "taken"),
    [
        ("ice40-up5k", 5184, 16, 22), ("ice40-up5k", 2780, 32, 24), ("ice40-up5k", 1715, 28, 14),
        ("lfe5u-25f", 6524, 43, 17), ("lfe5u-25f", 5616, 32, 11), ("gw1nr-9", 7375, 24, 11),
    ],
)  # fmt: skip
def test_deep_weights_take_the_shape_that_yosys_finds_cheapest(
    name: str, depth: int, width: int, taken: int, tmp_path: Path
) -> None:
    """Another shape takes fewer blocks for each of them, but more of multiplexers."""
    assert device(name).brams(depth, width) == taken
    assert blocks(name, weights(depth, width), tmp_path) == taken


@pytest.mark.slow(sample=1)
@pytest.mark.parametrize(("depth", "width"), [(600, 20), (693, 54), (1866, 23), (2271, 26)])
def test_block_count_between_powers_of_two_is_not_too_small(
    depth: int, width: int, tmp_path: Path
) -> None:
    for name in ("lfe5u-25f", "ice40-up5k"):
        taken = blocks(name, memory(depth, width), tmp_path)
        assert taken <= device(name).brams(depth, width) <= taken + 1


@pytest.mark.parametrize("name", DEVICES)
def test_accelerator_has_a_pin_for_every_port(name: str) -> None:
    target = device(name)
    text = constraints(PINS, target)
    sites = {target.clock_pin, *target.pins[: len(PINS) - 1]}
    assert len(sites) == len(PINS) == 24
    assert all(site in text for site in sites)
    assert f'clk" SITE "{target.clock_pin}"' in text or f"clk {target.clock_pin}" in text.replace(
        '"', ""
    )


def test_too_many_ports_are_refused() -> None:
    with pytest.raises(
        DoesNotFitError, match="does not fit ice40-up5k: 99 pins used, 32 available"
    ):
        constraints([f"p[{i}]" for i in range(99)], device("up5k"))
