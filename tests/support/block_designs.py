"""Designs of a block RAM and a multiplier, whose registers may move into the blocks."""

from __future__ import annotations

import random

from tests.support.verilog import stream

ROM = """
  (* ram_style = "block", no_rw_check = 1 *) reg [{top}:0] mem [0:{last}];
  initial begin {init} end
  reg [$clog2({depth})-1:0] at = 0;
  reg [{top}:0] read = 0, held = 0;
  reg [{top}:0] fill = 0;
  reg [7:0] x = 0;
  reg signed [7:0] f = 8'h55;
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
COLUMNS = "held <= read; f <= at[2:0] == 5 ? 8'h55 : {at[6:0], at[1]};"
"""A factor whose bits are set or reset under `go`, or else one of few values."""
BODIES = {
    "enabled": "if (go) begin held <= read; product <= a * b; sum <= sum + product; end",
    "free": "held <= read; product <= a * b; sum <= product;",
    "operand": "if (go) begin held <= read; product <= a * $signed(x); end sum <= product;",
    "constant": "if (go) begin held <= read; product <= $signed(x) * 115; end sum <= product + a;",
    "columns": f"if (go) begin {COLUMNS} product <= $signed(x) * f; end sum <= product + held;",
    "two enables": "if (go) held <= read; if (s_axis_tlast) product <= a * b; sum <= product;",
}


def design(depth: int, width: int, body: str, *, write: bool = False) -> str:
    """A ROM of depth × width bits (RAM with `write`), read at every beat; `body`: its registers."""
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
