"""Networks against the golden model: RTL, netlist, bitstream; and what was proven."""
