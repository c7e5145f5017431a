"""Registers inside ECP5 blocks: which ones move, and that nothing changes for the outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import device
from tests.support.block_designs import BODIES, design
from tests.support.netlist_bench import compare_synthesised


def cells(verilog: str, cache: Path) -> list[dict[str, Any]]:
    netlist = synthesise(verilog, "top", device("ulx3s-25f"), cache=Cache(cache))
    by_name = json.loads(netlist.path.read_text())["modules"]["top"]["cells"]
    return list(by_name.values())


def registered(netlist_cells: list[dict[str, Any]]) -> tuple[bool, bool, int]:
    """Whether block RAM has its output register, multipliers theirs, and flip-flops in fabric."""
    ram = [c["parameters"] for c in netlist_cells if c["type"] == "DP16KD"]
    products = [c["parameters"] for c in netlist_cells if c["type"] == "MULT18X18D"]
    return (
        any("OUTREG" in (p["REGMODE_A"], p["REGMODE_B"]) for p in ram),
        any(p.get("REG_OUTPUT_CLK") == "CLK0" for p in products),
        sum(c["type"] == "TRELLIS_FF" for c in netlist_cells),
    )


def test_registers_move_and_leave_the_fabric(tmp_path: Path) -> None:
    # left are at, sum and the output; read, held and product are in the blocks
    assert registered(cells(design(1024, 16, BODIES["enabled"]), tmp_path)) == (True, True, 36)


@pytest.mark.parametrize(
    ("body", "moves"),
    [
        ("if (rst) held <= 0; else held <= read; product <= a * b; sum <= product;", (False, True)),
        ("held <= read; product <= a * b; sum <= product + read;", (False, True)),
        ("held <= read; product <= rst ? 16'd0 : a * b; sum <= product;", (True, False)),
        ("held <= read; product <= a * b; sum <= product + a * b;", (True, False)),
        ("held[7:0] <= read; if (go) held[15:8] <= read[15:8]; product <= a * b; sum <= product;",
         (False, True)),
    ],
    ids=["reset", "read elsewhere", "product reset", "product elsewhere", "two enables"],
)  # fmt: skip
def test_what_would_behave_differently_stays(
    body: str, moves: tuple[bool, bool], tmp_path: Path
) -> None:
    assert registered(cells(design(1024, 16, body), tmp_path))[:2] == moves


@pytest.mark.parametrize(
    ("factor", "inputs"),
    [("$signed(fill[15:8])", "AB"), ("115", "AB"), ("$signed(x ^ fill[15:8])", "")],
    ids=["registers", "constant", "logic"],
)
def test_both_operands_of_a_product_get_registers_or_none(
    factor: str, inputs: str, tmp_path: Path
) -> None:
    body = f"if (go) product <= $signed(x) * {factor}; sum <= product;"
    (product,) = (
        cell["parameters"]
        for cell in cells(design(1024, 16, body), tmp_path)
        if cell["type"] == "MULT18X18D"
    )
    assert "".join(i for i in "AB" if product.get(f"REG_INPUT{i}_CLK") == "CLK0") == inputs


def test_falling_edge_and_first_value_one_stay(tmp_path: Path) -> None:
    verilog = design(1024, 16, BODIES["free"])
    ones = verilog.replace("read = 0, held = 0", "read = 0, held = 16'hffff")
    assert registered(cells(ones, tmp_path))[0] is False
    falling = verilog.replace("product <= a * b;", "") + ""
    falling = falling.replace("endmodule", "always @(negedge clk) product <= a * b;\nendmodule")
    assert registered(cells(falling, tmp_path))[:2] == (True, False)


def test_an_operand_that_is_set_and_reset_gets_a_register_and_luts(tmp_path: Path) -> None:
    netlist = cells(design(1024, 16, BODIES["columns"]), tmp_path)
    (product,) = (cell for cell in netlist if cell["type"] == "MULT18X18D")
    assert {product["parameters"].get(f"REG_INPUT{i}_CLK") for i in "AB"} == {"CLK0"}
    assert sum(cell["parameters"].get("REGSET") == "SET" for cell in netlist) == 0
    added = BODIES["columns"].replace("if (go) begin", "if (go | (at[2:0] == 5)) begin")
    netlist = cells(design(1024, 16, added.replace("go | (at", "go | f[0] & (at")), tmp_path)
    (product,) = (cell for cell in netlist if cell["type"] == "MULT18X18D")
    assert product["parameters"].get("REG_INPUTB_CLK") != "CLK0", "x has another enable"


@pytest.mark.slow(sample=4)
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("depth", "width"), [(512, 32), (1024, 18), (2048, 9), (256, 72)])
def test_netlist_does_what_the_verilog_says(
    depth: int, width: int, body: str, write: bool, tmp_path: Path
) -> None:
    wrong, changes = compare_synthesised(design(depth, width, BODIES[body], write=write), tmp_path)
    assert wrong == 0
    assert changes > 500
