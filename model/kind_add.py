"""add: term(x, w) = −|x − w| (AdderNet), with w = v·2^step scaled as x is, and v a signed integer
of `bits` bits: so weights of few bits reach as far as the inputs do."""

from __future__ import annotations

import numpy as np

from model.kind_mult import MultKind


class AddKind(MultKind):
    name = "add"
    unit = "add"
    order = 2
    calibrated_bits = (4, 6, 8)
    linear = False
    plain = False
    laplacian = True
    stepped = True
    mark = "M0-6.4L6.4 0L0 6.4L-6.4 0z"
    colours = ("#00835f", "#2fbf8f")

    def bounds(self, weights: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, np.ndarray]:
        w = weights.astype(np.int64)
        far = np.maximum(np.abs(lo - w), np.abs(hi - w))
        near = np.maximum(np.maximum(lo - w, w - hi), 0)
        return -far.sum(1), -near.sum(1)


KIND = AddKind()
