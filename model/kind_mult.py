"""mult: term(x, w) = w·x, with w a signed integer of `bits` bits."""

from __future__ import annotations

import numpy as np

from model.kinds import Kind


class MultKind(Kind):
    name = "mult"
    unit = "mult"
    order = 0
    calibrated_bits: tuple[int, ...] = (3, 4, 6, 8)
    linear = True
    plain = True
    mark = "M-4.7-4.7h9.4v9.4h-9.4z"
    colours = ("#0072b2", "#56b4e9")

    def weight_ok(self, weights: np.ndarray, bits: int) -> np.ndarray:
        return np.asarray((-(1 << (bits - 1)) <= weights) & (weights < 1 << (bits - 1)))

    def rule(self, bits: int) -> str:
        return f"integers from {-(1 << (bits - 1))} to {(1 << (bits - 1)) - 1}"

    def bounds(self, weights: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, np.ndarray]:
        w = weights.astype(np.int64)
        ends = w * lo, w * hi
        return np.minimum(*ends).sum(1), np.maximum(*ends).sum(1)


KIND = MultKind()
