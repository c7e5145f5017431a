"""mult: term(x, w) = w·x, with w a signed integer of `bits` bits."""

from __future__ import annotations

import numpy as np


class MultKind:
    name = "mult"
    unit = "mult"

    def weight_ok(self, weights: np.ndarray, bits: int) -> np.ndarray:
        return np.asarray((-(1 << (bits - 1)) <= weights) & (weights < 1 << (bits - 1)))

    def rule(self, bits: int) -> str:
        return f"integers from {-(1 << (bits - 1))} to {(1 << (bits - 1)) - 1}"

    def bounds(self, weights: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, np.ndarray]:
        w = weights.astype(np.int64)
        ends = w * lo, w * hi
        return np.minimum(*ends).sum(1), np.maximum(*ends).sum(1)


KIND = MultKind()
