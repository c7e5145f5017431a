"""Simulators and benches: the network as RTL against the golden model."""
