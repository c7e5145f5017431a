"""Networks against the golden model: RTL, netlist, bitstream; and the evidence."""
