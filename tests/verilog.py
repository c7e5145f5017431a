"""Small AXI-Stream designs in Verilog, to build for real."""

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


def stream(body: str, name: str = "top") -> str:
    """A byte stream whose beats are `go`; `body` drives `wire [7:0] y` from s_axis_tdata."""
    end = """
  always @(posedge clk) begin
    m_axis_tvalid <= go & ~rst;
    m_axis_tdata <= y;
    m_axis_tlast <= s_axis_tlast;
  end
endmodule
"""
    return PORTS.format(name=name) + body + end


def delay(depth: int = 512, width: int = 32) -> str:
    """A row buffer in block RAM with an output register, and a product of 8 by 8 bits."""
    return stream(f"""
  (* ram_style = "block", no_rw_check = 1 *) reg [{width - 1}:0] mem [0:{depth - 1}];
  reg [$clog2({depth})-1:0] at;
  reg [{width - 1}:0] read, held;
  reg [15:0] product;
  wire [7:0] y = product[15:8] ^ product[7:0];
  always @(posedge clk) if (go) begin
    at <= at + 1;
    mem[at] <= {{{width // 8}{{s_axis_tdata}}}};
    read <= mem[at + 1];
    held <= read;
    product <= held[7:0] * held[{width - 1}:{width - 8}];
  end
""")
