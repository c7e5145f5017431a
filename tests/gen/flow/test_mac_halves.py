"""Products of at most 8 bits share an SB_MAC16 in pairs, and nothing changes for the outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import device
from tests.support.netlist_bench import compare_synthesised

HEAD = """module top(input clk, rst, input [7:0] s_axis_tdata, input s_axis_tvalid,
  output s_axis_tready, input s_axis_tlast, output [7:0] m_axis_tdata,
  output m_axis_tvalid, input m_axis_tready, output m_axis_tlast);
  wire en = s_axis_tvalid, other = m_axis_tready;
  assign s_axis_tready = en, m_axis_tvalid = other, m_axis_tlast = s_axis_tlast;
  reg [7:0] a = 0, b = 0, c = 0, d = 0;
  always @(posedge clk) if (en) {d, c, b, a} <= {c, b, a, s_axis_tdata};
"""
"""Four bytes of the stream, two of which one would multiply."""


def top(products: str, answer: str) -> str:
    return f"{HEAD}{products}\n  assign m_axis_tdata = {answer};\nendmodule\n"


def held(name: str, bits: int, product: str, enable: str = "en") -> str:
    """A product behind a register."""
    return (
        f"  reg signed [{bits - 1}:0] {name} = 0;\n"
        f"  always @(posedge clk) if ({enable}) {name} <= {product};"
    )


BYTES = "$signed({{1'b0, {}}}) * $signed({})"
CASES = {
    "unsigned by signed": (
        held("p", 16, BYTES.format("a", "b")) + held("q", 16, BYTES.format("a", "c")), [1]
    ),
    "signed": (
        held("p", 16, "$signed(a) * $signed(b)") + held("q", 16, "$signed(c) * $signed(d)"), [1]
    ),
    "narrow": (
        held("p", 8, "$signed(a[3:0]) * $signed(b[3:0])")
        + held("q", 8, "$signed({1'b0, c[3:0]}) * $signed(d[3:0])"), [1]
    ),
    "three": (
        held("p", 16, BYTES.format("a", "b")) + held("q", 16, BYTES.format("a", "c"))
        + held("r", 16, BYTES.format("a", "d")), [0, 1]
    ),
    "of two enables": (
        held("p", 16, BYTES.format("a", "b")) + held("q", 16, BYTES.format("a", "c"), "other"),
        [0, 0],
    ),
    "of unlike signs": (
        held("p", 16, BYTES.format("a", "b")) + held("q", 16, "$signed(c) * $signed(d)"), [0, 0]
    ),
    "of more bits": (
        held("p", 18, "$signed({a, b}) * $signed(c[1:0])") + held("q", 16, BYTES.format("a", "d")),
        [0, 0],
    ),
    "without registers": (
        "  wire signed [15:0] p = $signed(a) * $signed(b), q = $signed(c) * $signed(d);", [1]
    ),
}  # fmt: skip
"""Products, and for each multiplier that they take whether it is one of two halves."""


@pytest.mark.parametrize("name", CASES)
def test_pairs_compute_the_same(name: str, tmp_path: Path) -> None:
    products, halves = CASES[name]
    third = " ^ r[15:8] ^ r[7:0]" if name == "three" else ""
    upper = "q << 1" if name == "narrow" else "p >> 8"
    verilog = top(products, f"p[7:0] ^ ({upper}) ^ q[7:0] ^ (q >>> 8){third}")
    taken = multipliers(verilog, tmp_path)
    assert sorted(int(cell["parameters"]["MODE_8x8"], 2) for cell in taken) == halves
    wrong, changes = compare_synthesised(verilog, tmp_path, "up5k")
    assert wrong == 0
    assert changes > 500


def test_what_is_too_narrow_for_a_multiplier_is_made_of_luts(tmp_path: Path) -> None:
    """A product by one bit, as the rest of one that is cut up: yosys leaves neither as it is."""
    verilog = top(held("p", 17, "{a, c} * d[0]"), "p[7:0] ^ p[15:8]")
    assert not multipliers(verilog, tmp_path)
    wrong, changes = compare_synthesised(verilog, tmp_path, "up5k")
    assert wrong == 0
    assert changes > 500


def multipliers(verilog: str, folder: Path) -> list[dict[str, Any]]:
    netlist = synthesise(verilog, "top", device("up5k"), cache=Cache(folder))
    cells = json.loads(netlist.path.read_text())["modules"]["top"]["cells"].values()
    return [cell for cell in cells if cell["type"] == "SB_MAC16"]
