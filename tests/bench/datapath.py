"""Datapaths without handshake, placed and routed between two shift registers."""

from __future__ import annotations

from dataclasses import dataclass

from gen.flow.place import place
from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import DEVICES

DEVICE = DEVICES["lfe5u-85f"]
MHZ, TIMEOUT = 200.0, 3600.0
"""Asked for of nextpnr; seconds for each of its runs."""
BETWEEN = """
module few_pins(input clk, input i, output reg o);
  reg [{n}:0] given; reg [{m}:0] taken; wire [{m}:0] result;
  always @(posedge clk) begin
    given <= {{given[{n}-1:0], i}};
    taken <= given[0] ? result : taken >> 1;
    o <= taken[0];
  end
  {top} dut ({ports});
endmodule
"""


@dataclass(frozen=True)
class Datapath:
    """Verilog of a module, its connections to `given` and `result`, and the bits of both."""

    verilog: str
    top: str
    ports: str
    bits_in: int
    bits_out: int


@dataclass(frozen=True)
class Measured:
    """lut: nextpnr's COMB, less the one that the output register takes a bit. per_lut: results a
    second and LUT, of one a cycle."""

    lut: int
    fmax_mhz: float

    @property
    def per_lut(self) -> float:
        return self.fmax_mhz * 1e6 / self.lut


def between(path: Datapath) -> str:
    """Verilog of a datapath between its shift registers; the top is few_pins."""
    return path.verilog + BETWEEN.format(
        n=path.bits_in - 1, m=path.bits_out - 1, top=path.top, ports=path.ports
    )


def measure(path: Datapath, cache: Cache) -> Measured:
    """Synthesised, placed and routed."""
    netlist = synthesise(between(path), "few_pins", DEVICE, cache=cache)
    placed = place(netlist, DEVICE, mhz=MHZ, seed=1, cache=cache, timeout=TIMEOUT)
    return Measured(placed.used["lut"] - path.bits_out, placed.fmax_mhz)
