"""Registers inside ECP5 blocks: which ones move, and that nothing changes for the outside."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import sim.verify
from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import device
from tests.support.verilog import stream

ROM = """
  (* ram_style = "block", no_rw_check = 1 *) reg [{top}:0] mem [0:{last}];
  initial begin {init} end
  reg [$clog2({depth})-1:0] at = 0;
  reg [{top}:0] read = 0, held = 0;
  reg [{top}:0] fill = 0;
  reg [7:0] x = 0;
  reg signed [15:0] product = 0, sum = 0;
  wire signed [7:0] a = held[7:0], b = held[{top}:{top} - 7];
  wire [$clog2({depth})-1:0] next = at + 3;
  wire [7:0] y = sum[15:8] ^ sum[7:0];
  always @(posedge clk) begin
    if (go) begin
      at <= at + 1;
      read <= mem[at];
      fill <= {{fill, s_axis_tdata}};
      x <= s_axis_tdata;
      {write}
    end
    {body}
  end
"""
BODIES = {
    "enabled": "if (go) begin held <= read; product <= a * b; sum <= sum + product; end",
    "free": "held <= read; product <= a * b; sum <= product;",
    "operand": "if (go) begin held <= read; product <= a * $signed(x); end sum <= product;",
    "constant": "if (go) begin held <= read; product <= $signed(x) * 115; end sum <= product + a;",
    "two enables": "if (go) held <= read; if (s_axis_tlast) product <= a * b; sum <= product;",
}


def design(depth: int, width: int, body: str, *, write: bool = False) -> str:
    rng = random.Random(depth * width)
    words = (f"mem[{i}] = {width}'h{rng.getrandbits(width):x};" for i in range(depth))
    return stream(
        ROM.format(
            top=width - 1,
            last=depth - 1,
            depth=depth,
            init=" ".join(words),
            write="mem[next] <= fill;" if write else "",
            body=body,
        )
    )


def cells(verilog: str, cache: Path) -> list[dict[str, Any]]:
    netlist = synthesise(verilog, "top", device("ulx3s-25f"), cache=Cache(cache))
    found = json.loads(netlist.path.read_text())["modules"]["top"]["cells"]
    return list(found.values())


def registered(found: list[dict[str, Any]]) -> tuple[bool, bool, int]:
    """Whether block RAM has its output register, multipliers theirs, and flip-flops in fabric."""
    ram = [c["parameters"] for c in found if c["type"] == "DP16KD"]
    products = [c["parameters"] for c in found if c["type"] == "MULT18X18D"]
    return (
        any("OUTREG" in (p["REGMODE_A"], p["REGMODE_B"]) for p in ram),
        any(p.get("REG_OUTPUT_CLK") == "CLK0" for p in products),
        sum(c["type"] == "TRELLIS_FF" for c in found),
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


BENCH = """
module bench;
  reg clk = 0, valid, ready, last;
  reg [7:0] data;
  wire [7:0] y0, y1;
  wire [2:0] f0, f1;
  integer n, wrong = 0, changes = 0;
  reg [7:0] was = 0;
  rtl a(clk, 1'b0, data, valid, f0[0], last, y0, f0[1], ready, f0[2]);
  top b(.clk(clk), .rst(1'b0), .s_axis_tdata(data), .s_axis_tvalid(valid), .s_axis_tready(f1[0]),
    .s_axis_tlast(last), .m_axis_tdata(y1), .m_axis_tvalid(f1[1]), .m_axis_tready(ready),
    .m_axis_tlast(f1[2]));
  initial begin
    for (n = 0; n < 4000; n = n + 1) begin
      data = $random; last = $random;
      valid = n > 2000 ? 1 : $random; ready = n > 2000 ? 1 : $random;
      #5 clk = 1;
      #4 if (y0 !== y1 || f0 !== f1) wrong = wrong + 1;
      if (y1 !== was) changes = changes + 1;
      was = y1;
      #1 clk = 0;
    end
    $display("%0d wrong, %0d changes", wrong, changes);
    $finish;
  end
endmodule
"""


def simulate(verilog: str, folder: Path) -> tuple[int, int]:
    """Cycles in which netlist and Verilog differ, and in which the netlist's output changes."""
    import pyosys

    target = device("ulx3s-25f")
    netlist = synthesise(verilog, "top", target, cache=Cache(folder))
    share = Path(pyosys.__file__).parent / "share" / "ecp5"
    models = (share / "cells_sim.v").read_text()
    start = models.index("(* blackbox *)\nmodule DP16KD(")  # an empty one, which ours replaces
    models = models[:start] + models[models.index("endmodule", start) + len("endmodule") :]
    # Icarus 11 has no $error outside of always blocks
    common = "".join(
        line for line in (share / "common_sim.vh").read_text().splitlines(True)
        if "$error" not in line
    )  # fmt: skip
    (folder / "common_sim.vh").write_text(common)
    blocks = (Path(sim.verify.__file__).parent / "ecp5_blocks.v").read_text()
    own = verilog.replace("module top(", "module rtl(")
    netlist_v = (netlist.path.parent / "netlist.v").read_text()
    (folder / "all.v").write_text("\n".join([BENCH, own, netlist_v, blocks, models]))
    paths = [f"-I{folder}", f"-I{share}", f"-o{folder / 'a'}", str(folder / "all.v")]
    subprocess.run(["iverilog", "-g2012", "-DNO_INCLUDES", "-sbench", *paths], check=True)
    out = subprocess.run(["vvp", folder / "a"], check=True, capture_output=True, text=True).stdout
    wrong, changes = out.replace(" wrong,", "").replace(" changes", "").split()[:2]
    return int(wrong), int(changes)


@pytest.mark.skipif(not shutil.which("iverilog"), reason="needs iverilog")
@pytest.mark.slow(sample=4)
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("depth", "width"), [(512, 32), (1024, 18), (2048, 9), (256, 72)])
def test_netlist_does_what_the_verilog_says(
    depth: int, width: int, body: str, write: bool, tmp_path: Path
) -> None:
    wrong, changes = simulate(design(depth, width, BODIES[body], write=write), tmp_path)
    assert wrong == 0
    assert changes > 500
