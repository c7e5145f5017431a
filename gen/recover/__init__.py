"""Verilog of what was built, down to what a bitstream says."""
