"""A netlist of a byte stream beside the Verilog it came from, cycle by cycle in Icarus."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import sim.verify
from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import device
from sim.bench.installed import missing

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
      #4 if (n >= `SETTLED && (y0 !== y1 || f0 !== f1)) wrong = wrong + 1;
      if (y1 !== was) changes = changes + 1;
      was = y1;
      #1 clk = 0;
    end
    $display("%0d wrong, %0d changes", wrong, changes);
    $finish;
  end
endmodule
"""


def need_icarus() -> None:
    """Skips a test where Icarus is missing."""
    if reason := missing("icarus"):
        pytest.skip(reason)


def compare(
    verilog: str, others: str, folder: Path, *flags: str, settled: int = 0
) -> tuple[int, int]:
    """Cycles in which module top of `others` differs from that of `verilog`, and in which its
    output changes. flags: for iverilog. settled: cycles from which on they are compared, for models
    whose registers begin with no value."""
    need_icarus()
    own = verilog.replace("module top(", "module rtl(")
    (folder / "all.v").write_text("\n".join([BENCH, own, others]))
    paths = [f"-DSETTLED={settled}", f"-o{folder / 'a'}", str(folder / "all.v")]
    subprocess.run(["iverilog", "-g2012", "-sbench", *flags, *paths], check=True)
    out = subprocess.run(["vvp", folder / "a"], check=True, capture_output=True, text=True).stdout
    wrong, changes = out.replace(" wrong,", "").replace(" changes", "").split()[:2]
    return int(wrong), int(changes)


def compare_synthesised(verilog: str, folder: Path, name: str = "ulx3s-25f") -> tuple[int, int]:
    """`compare` with what synthesis for a device of ECP5 or iCE40 makes of `verilog`."""
    import pyosys

    need_icarus()
    netlist = synthesise(verilog, "top", device(name), cache=Cache(folder))
    made = (netlist.path.parent / "netlist.v").read_text()
    share = Path(pyosys.__file__).parent / "share" / device(name).family
    if device(name).family == "ice40":
        models = (share / "cells_sim.v").read_text()
        return compare(
            verilog, f"{made}\n{models}", folder, "-DNO_ICE40_DEFAULT_ASSIGNMENTS", settled=40
        )
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
    others = "\n".join([made, blocks, models])
    return compare(verilog, others, folder, "-DNO_INCLUDES", f"-I{folder}", f"-I{share}")
