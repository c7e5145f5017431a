"""Verilog recovered from what was built: synthesised or routed netlist, or bitstream."""
