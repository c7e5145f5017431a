"""Carry chains on ECP5: none costs more than its own pairs, and all still add."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gen.flow.passes import odd_chains
from gen.flow.passes.carries import start_chains
from gen.flow.place import place
from gen.flow.synth import PASSES, synthesise
from gen.support.cache import Cache
from gen.support.devices import device
from tests.support.netlist_bench import compare_synthesised
from tests.support.verilog import stream

WIDTHS = (7, 8, 13)
SUMS = {
    "carry": "a + b + c",
    "debt": "({a, 1'b1} + {b, c}) >> 1",
    "constant": "a + b",
    "borrow": "a - b",
    "step": "a + 3",
}  # fmt: skip


def adder(width: int, total: str) -> str:
    """The bytes of the stream in a delay line, and a sum of two parts of it."""
    return stream(f"""
  reg [39:0] line = 0;
  reg [{width}:0] sum = 0;
  wire [{width - 1}:0] a = line[{width - 1}:0], b = line[39:{40 - width}];
  wire c = line[15];
  wire [7:0] y = sum ^ (sum >> 6);
  always @(posedge clk) if (go) begin
    line <= {{line, s_axis_tdata}};
    sum <= {total};
  end
""")


@pytest.mark.parametrize(("width", "total"), [(7, "carry"), *((8, total) for total in SUMS)])
def test_a_chain_costs_its_own_pairs_alone(width: int, total: str, tmp_path: Path) -> None:
    target, cache = device("ulx3s-25f"), Cache(tmp_path)
    netlist = synthesise(adder(width, SUMS[total]), "top", target, cache=cache)
    own = netlist.cells["LUT4"] + 2 * netlist.cells["CCU2C"]
    placed = place(netlist, target, mhz=50, seed=1, cache=cache, timeout=300)
    own += 2 * (width == 7)  # a pair feeds a carry that is not constant, where no half is idle
    assert own <= placed.used["lut"] <= own + 2  # 2: the drivers of 0 and 1


@pytest.mark.slow(sample=4)
@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_chain_adds_as_the_verilog_says(width: int, total: str, tmp_path: Path) -> None:
    wrong, changes = compare_synthesised(adder(width, SUMS[total]), tmp_path)
    assert wrong == 0
    assert changes > 500


@pytest.mark.parametrize(("width", "saved"), [(7, 0), (8, 1)])
def test_an_odd_chain_saves_the_lut_of_its_lowest_sum(
    width: int, saved: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sum of two bytes has nine bits."""

    def luts(folder: str) -> int:
        target, text = device("ulx3s-25f"), adder(width, "a + b")
        cells = synthesise(text, "top", target, cache=Cache(tmp_path / folder)).cells
        return cells["LUT4"] + 2 * cells["CCU2C"]

    moved = luts("moved")
    others = tuple(one for one in PASSES["ecp5"] if one is not odd_chains.move_up)
    monkeypatch.setitem(PASSES, "ecp5", others)
    assert luts("left") - moved == saved


def test_a_new_net_is_none_that_is_there_unread() -> None:
    """A fully parallel layer of shifts could not be packed: a sum that nobody reads had the highest
    number of all, and was given away again."""
    pins: dict[str, list[Any]] = {"A0": [2], "B0": [3], "C0": ["1"], "D0": ["1"], "CIN": ["0"]}
    cell: dict[str, Any] = {
        "type": "CCU2C",
        "parameters": {"INIT0": "1001011010101010", "INJECT1_0": "NO"},
        "port_directions": dict.fromkeys(pins, "input") | dict.fromkeys(("S0", "S1"), "output"),
        "connections": pins | {"S0": [4], "S1": [9]},
    }
    module: dict[str, Any] = {"cells": {"sum": cell}, "ports": {"y": {"bits": [4]}}}
    assert start_chains(module) == 1
    assert module["cells"]["sum_low"]["connections"]["Z"] == [4]
    assert cell["connections"]["S0"] == [10]
