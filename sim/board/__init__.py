"""Boards, real and virtual, checked against the golden model."""
