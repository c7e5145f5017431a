"""mult: w·x."""

from __future__ import annotations

from sim.formal.reference import Reference, twos

REFERENCE = Reference(twos, lambda x, w: x * w.as_signed())
