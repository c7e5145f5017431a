"""Passes over netlists that yosys and nextpnr do not have."""
