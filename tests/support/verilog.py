"""Small AXI-Stream designs in Verilog, to be built for real."""

from __future__ import annotations

import random

PORTS = """
module {name}(
  input clk, input rst,
  input [7:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
  output reg [7:0] m_axis_tdata, output reg m_axis_tvalid, input m_axis_tready,
  output reg m_axis_tlast
);
  assign s_axis_tready = m_axis_tready;
  wire go = s_axis_tvalid & m_axis_tready;
"""
END = """
  always @(posedge clk) begin
    m_axis_tvalid <= go & ~rst;
    m_axis_tdata <= y;
    m_axis_tlast <= s_axis_tlast;
  end
endmodule
"""


def stream(body: str, name: str = "top") -> str:
    """A byte stream whose beats are `go`; `body` declares wire [7:0] y, the output byte."""
    return PORTS.format(name=name) + body + END


def memory(depth: int, width: int, name: str = "top") -> str:
    """A block RAM, written and read at different addresses, all its bits in use."""
    return stream(
        f"""
  (* ram_style = "block", no_rw_check = 1 *) reg [{width - 1}:0] mem [0:{depth - 1}];
  reg [$clog2({depth})-1:0] at = 0;
  reg [{width - 1}:0] fill = 0, sum = 0;
  reg [{width - 1}:0] read;  // with a first value, iCE40 would need logic for it
  wire [7:0] y = sum;
  always @(posedge clk) if (go) begin
    fill <= {{fill, s_axis_tdata}};
    at <= at + 1;
    mem[at + 3] <= fill;
    read <= mem[at];
    sum <= sum + (sum >> 1) + read;
  end
""",
        name,
    )


def weights(depth: int, width: int, name: str = "top") -> str:
    """A block RAM of random constants, read one after another, all its bits in use."""
    draw = random.Random(f"{depth} {width}")
    words = "".join(f"mem[{i}] = {width}'d{draw.getrandbits(width)};" for i in range(depth))
    return stream(
        f"""
  (* ram_style = "block" *) reg [{width - 1}:0] mem [0:{depth - 1}];
  initial begin {words} end
  reg [$clog2({depth})-1:0] at = 0;
  reg [{width - 1}:0] read, sum = 0;
  wire [7:0] y = sum;
  always @(posedge clk) if (go) begin
    at <= at == {depth - 1} ? 0 : at + 1;
    read <= mem[at];
    sum <= sum + (sum >> 1) + read;
  end
""",
        name,
    )


def products(count: int, name: str = "top") -> str:
    """`count` products of 8 by 8 bits, each with its own operands, one after another."""
    lines = [
        f"""
  reg signed [7:0] a{i} = 0;
  reg signed [15:0] p{i} = 0;
  always @(posedge clk) if (go) begin
    a{i} <= {"s_axis_tdata" if i == 0 else f"p{i - 1}[15:8] ^ p{i - 1}[7:0]"};
    p{i} <= a{i} * $signed(s_axis_tdata);
  end
"""
        for i in range(count)
    ]
    return stream("".join(lines) + f"  wire [7:0] y = p{count - 1}[15:8];", name)
