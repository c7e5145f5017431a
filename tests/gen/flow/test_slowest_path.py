"""The slowest path in words: which one it is, and what its cells belong to."""

from __future__ import annotations

from typing import Any

import pytest

from gen.flow.build import build
from gen.flow.seeds import SeedClock, clock_lines
from gen.flow.slowest_path import SlowestPath, part, slowest_path
from gen.support.devices import device
from tests.support.verilog import memory

CLOCK = "posedge clk"


def step(kind: str, ns: float, cell: str, port: str) -> dict[str, Any]:
    end = {"cell": cell, "port": port}
    return {"type": kind, "delay": ns, "from": end, "to": end}


def path(*steps: dict[str, Any], start: str = CLOCK, end: str = CLOCK) -> dict[str, Any]:
    return {"from": start, "to": end, "path": list(steps)}


ROM = path(
    step("clk-to-q", 0.5, "conv2.weights.0.0", "DOA2"),
    step("routing", 4.2, "conv2.pe0.addsub_sum1_0_LUT4_Z", "C"),
    step("logic", 1.3, "conv2.pe0.addsub_sum1_0_LUT4_Z", "F"),
    step("setup", 0.0, "conv2.pe0.sum1_0_TRELLIS_FF_Q_6", "DI"),
)
SHORT = path(step("clk-to-q", 0.5, "a.window.slot.ky_SB_DFFE_Q", "O"))
PINS = path(step("routing", 99.0, "i_TRELLIS_IO_IN", "O"), start="<async>")


def test_longest_path_between_registers_is_said_in_words() -> None:
    found = slowest_path({"critical_paths": [SHORT, PINS, ROM]})
    assert found == SlowestPath(
        "weight memory of conv2", "adder tree of conv2", 6.0, 0.7, "conv2.weights.0.0",
        "conv2.pe0.sum1_0_TRELLIS_FF_Q_6",
    )  # fmt: skip
    said = "from weight memory of conv2 to adder tree of conv2: 6.0 ns, 70 % routing"
    assert str(found) == said
    assert clock_lines([SeedClock(1, 100.0)], found) == (f"slowest path: {said}",)


def test_a_clock_enable_is_named() -> None:
    steps = (*SHORT["path"], step("routing", 2.0, "a.window.ahead.y_SB_DFFESR_Q_DFFLC", "CEN"))
    found = slowest_path({"critical_paths": [path(*steps)]})
    assert found is not None
    assert (found.start, found.end) == (
        "loop counters of a", "clock enable of pixel counters of a",
    )  # fmt: skip


@pytest.mark.parametrize("paths", [{}, {"critical_paths": []}, {"critical_paths": [PINS]}])
def test_without_a_path_between_registers_nothing_is_said(paths: dict[str, Any]) -> None:
    assert slowest_path(paths) is None
    assert clock_lines([], None) == ()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("conv0_q.window.ring12.0.0_RAM", "line buffer of conv0_q"),
        ("conv0_q.pe3.held$12_TRELLIS_FF_Q_6", "processing elements of conv0_q"),
        ("pool.spare_SB_DFF_Q_4_DFFLC", "output register of pool"),
        ("scores.$signal$18_DFFE_Q_5", "registers of scores"),
        ("address_SB_DFFE_Q", "address"),
        ("mem.0.0_RAM", "mem"),
    ],
)
def test_parts_by_the_names_that_synthesis_leaves(cell: str, words: str) -> None:
    assert part(cell) == words


def test_spread_has_mean_least_and_most() -> None:
    seeds = [SeedClock(1, 100.0), SeedClock(2, 130.0), SeedClock(3, 106.0)]
    (line,) = clock_lines(seeds, None)
    assert line == "clock over 3 seeds: mean 112.0, least 100.0, most 130.0 MHz"


@pytest.mark.parametrize("name", ["ulx3s-25f", "up5k", "gw1nr-9"])
def test_each_family_names_its_slowest_path(name: str, tmp_path: Any) -> None:
    made = build(memory(512, 16), "top", device(name), bitstream=False, cache=tmp_path)
    found = made.slowest
    assert found is not None
    assert found.ns == pytest.approx(1000 / made.measured.fmax_mhz, rel=0.05)
    assert 0 < found.routing < 1
    assert {found.start, found.end} <= {"at", "mem", "fill", "read", "sum", "m_axis_tdata"}, found
