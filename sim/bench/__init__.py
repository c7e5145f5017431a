"""Simulators, and benches for streams."""
