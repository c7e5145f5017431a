"""sum: x."""

from __future__ import annotations

from sim.formal.reference import Reference

REFERENCE = Reference(lambda index, bits: 0, lambda x, w: x)
