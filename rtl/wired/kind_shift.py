"""Shift: sums of ±x·2^e. A weight has one digit at most. Equals `shift` in the golden model."""

from __future__ import annotations

from rtl.wired.kind_mult import reach, sums

__all__ = ["reach", "sums"]
