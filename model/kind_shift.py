"""shift: term(x, w) = ±x·2^e or 0 (DeepShift). Weights are stored as their integer value 0 or ±2^e.

`bits` bits hold a sign and 2^(bits−1) − 1 exponents e = 0, 1, …; the code left over is zero. With
the 4 bits of the default that is e = 0…6, the exponent p = e − 6 of the literature in [−6, 0].
"""

from __future__ import annotations

import numpy as np

from model.kind_mult import MultKind


def exponents(bits: int) -> int:
    """Number of different shifts that `bits` bits can hold beside sign and zero."""
    return (1 << (bits - 1)) - 1


class ShiftKind(MultKind):
    name = "shift"
    unit = "shift"
    order = 1
    weight_bits = (2, 4)  # a fifth bit would shift by up to 14 places
    usual_bits = 4
    calibrated_bits = (3, 4)
    plain = False
    uneven = True
    mark = "M0-6L5.8 4.4H-5.8z"
    colours = ("#d55e00", "#f0883e")

    def weight_ok(self, weights: np.ndarray, bits: int) -> np.ndarray:
        size = np.abs(weights.astype(np.int64))
        return np.asarray(((size & (size - 1)) == 0) & (size < 1 << exponents(bits)))

    def rule(self, bits: int) -> str:
        return f"0 or plus/minus a power of two up to 2^{exponents(bits) - 1}"

    def random_weights(
        self, draw: np.random.Generator, bits: int, shape: tuple[int, ...]
    ) -> np.ndarray:
        super().random_weights(draw, bits, shape)  # drawn in vain: measured layers stay as they are
        signs, sizes = draw.choice([-1, 1], shape), 1 << draw.integers(0, exponents(bits), shape)
        return np.asarray(signs * sizes)


KIND = ShiftKind()
