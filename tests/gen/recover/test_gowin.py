"""A Gowin bitstream read back: all contents and functions are those that were placed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from gen.compile import planned
from gen.flow.build import build
from gen.flow.passes import carry_heads
from gen.recover.cell_models import RecoverError
from gen.recover.gowin import CHIP, WireTracer, pin_numbers
from gen.recover.gowin_cells import TileReader
from gen.recover.gowin_fuses import Fuses
from gen.support.devices import device
from tests.support.block_designs import design
from tests.support.layer_cases import random_network
from tests.support.verilog import stream

PART = "GW1NR-LV9QN88PC6/I5"
Placed = tuple[Fuses, dict[str, Any], str]


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Placed:
    """A bitstream, the cells that nextpnr placed, and its pins."""
    network, _ = random_network(random.Random(31))
    plan, rtl = planned(network, board="tang-nano-9k", dsps=0)
    folder = tmp_path_factory.mktemp("gowin")
    built = build(rtl.verilog, rtl.top, device(plan.device), cache=folder)
    beside = built.files["log"].parent
    module = json.loads((beside / "routed.json").read_text())["modules"]["top"]
    fuses = Fuses(built.files["bitstream"], CHIP, PART)
    return fuses, module["cells"], (beside / "pins.cst").read_text()


def at(cell: dict[str, Any]) -> tuple[int, int, str]:
    """Row, column and bel of a cell."""
    place, bel = cell["attributes"]["NEXTPNR_BEL"].split("/")
    column, row = place[1:].split("Y")
    return int(row), int(column), bel


def test_contents_of_all_lookup_tables(placed: Placed) -> None:
    fuses, cells, _ = placed
    luts = [cell for cell in cells.values() if cell["type"] == "LUT4"]
    assert len(luts) > 100
    for cell in luts:
        row, column, bel = at(cell)
        assert fuses.lut(row, column, int(bel[3:])) == int(cell["parameters"]["INIT"], 2)


@pytest.mark.parametrize(("depth", "width"), [(1024, 18), (512, 36), (2048, 8)])
def test_contents_of_block_ram(depth: int, width: int, tmp_path: Path) -> None:
    verilog = design(depth, width, "held <= read; sum <= sum + held;")
    built = build(verilog, "top", device("tang-nano-9k"), cache=tmp_path)
    routed = json.loads((built.files["log"].parent / "routed.json").read_text())
    fuses = Fuses(built.files["bitstream"], CHIP, PART)
    blocks = [c for c in routed["modules"]["top"]["cells"].values() if c["type"] in ("SP", "DP")]
    assert blocks
    for cell in blocks:
        row, column, _ = at(cell)
        rows = [int(cell["parameters"][f"INIT_RAM_{i:02X}"], 2) for i in range(64)]
        assert cell["attributes"]["BSRAM_SUBTYPE"] == "X9"
        assert sum(word.bit_count() for word in rows) > 4000
        assert fuses.contents(row, column) == rows


DISTRIBUTED = """
  reg [3:0] mem [0:15];
  initial begin {init} end
  reg [3:0] at = 0;
  reg [7:0] y = 0;
  always @(posedge clk) if (go) begin
    at <= at + 1;
    if (s_axis_tlast) mem[at + 3] <= s_axis_tdata;
    y <= y + mem[at];
  end
"""


def test_contents_of_distributed_ram(tmp_path: Path) -> None:
    words = [(7 * i * i + 5) % 16 for i in range(16)]
    init = " ".join(f"mem[{i}] = {word};" for i, word in enumerate(words))
    text = stream(DISTRIBUTED.format(init=init))
    built = build(text, "top", device("tang-nano-9k"), cache=tmp_path)
    routed = json.loads((built.files["log"].parent / "routed.json").read_text())
    cells = routed["modules"]["top"]["cells"].values()
    ((row, column, _),) = [at(cell) for cell in cells if cell["type"] == "RAM16SDP4"]
    fuses = Fuses(built.files["bitstream"], CHIP, PART)
    bits = [fuses.lut(row, column, n) for n in range(4)]
    assert [sum((bits[n] >> i & 1) << n for n in range(4)) for i in range(16)] == words


def test_every_flip_flop_that_a_pin_depends_on_was_placed(placed: Placed) -> None:
    fuses, cells, pins = placed
    text = WireTracer(fuses, pin_numbers(pins)).verilog("top")
    flops = {f"R{row + 1}C{column + 1}_Q{bel[3:]}" for row, column, bel in
             (at(cell) for cell in cells.values() if cell["type"].startswith("DFF"))}  # fmt: skip
    flip_flops = {line.split()[1][4:] for line in text.splitlines() if line.startswith("DFF")}
    assert flip_flops
    assert flip_flops <= flops
    assert len(flip_flops) > 0.95 * len(flops)


def test_two_clocks_on_spines_that_fuses_do_not_tell_apart_are_refused(placed: Placed) -> None:
    fuses, _, pins = placed
    traced = WireTracer(fuses, pin_numbers(pins))
    tiles = {(r, c): tile for r, c, tile in fuses.tiles()}
    (row, column), tile = next((k, t) for k, t in tiles.items() if len(t.taps.get("GT00", ())) > 1)
    for spine in tile.taps["GT00"]:
        traced.source[fuses.wire(row, column, spine)] = "VCC"
    with pytest.raises(RecoverError, match="use one clock"):
        traced._tap({TileReader(fuses, row, column, traced.net): tile})


def test_carry_chains_that_start_from_logic_are_repaired() -> None:
    def alu(**parameters: str) -> dict[str, Any]:
        return {"type": "ALU", "parameters": parameters}

    cells = {
        "head": alu(CIN_NETTYPE="LOGIC", RAW_ALU_LUT="0" * 16 + carry_heads.LETS_IN),
        "inner": alu(ALU_MODE="2", RAW_ALU_LUT=carry_heads.LETS_IN),
        "constant": alu(ALU_MODE="C2L"),
    }
    netlist = {"modules": {"top": {"cells": cells}}}
    assert carry_heads.repair(netlist) == 1
    assert cells["head"]["parameters"]["RAW_ALU_LUT"] == "0" * 16 + carry_heads.KEEPS_OUT
    assert cells["inner"]["parameters"]["RAW_ALU_LUT"] == carry_heads.LETS_IN
    assert carry_heads.repair(netlist) == 0
