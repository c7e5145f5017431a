"""Energies of the published table for 45 nm, per bit: see gen.cost.energy_45nm."""

MULTIPLY, ADD, SHIFT = 0.2 / (8 * 8), 0.03 / 8, 0.024 / (8 * 3)
"""pJ for a bit of a product, of a sum, of a multiplexer stage."""
READ, SIZE = 10 / 64, 8 * 8192
"""pJ for a bit of a memory of SIZE bits, read or written."""
