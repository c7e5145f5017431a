"""Formal proofs of components."""
