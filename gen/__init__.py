"""From a network to a plan, an accelerator, Verilog, a netlist and a bitstream."""
