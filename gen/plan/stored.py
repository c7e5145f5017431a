"""The weights of a layer as its memory holds them, and the requantiser that goes with these.

Where no input is negative, a weight of add that is lets each product of its own pass by:
|x − w| = |x − 0| + |w|. So negative weights are stored as 0, without a sign bit, and what that
takes from the sums of an output, Σ|w|, is a constant that its offset makes up for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from gen.plan.lower import LoweredLayer
from model.spec import Conv, Dense, Requantise
from rtl.pe.element import pe


@dataclass(frozen=True, eq=False)
class StoredWeights:
    """values: integers (out, kh, kw, in), or (channels, kh, kw, 1) when depthwise. bits, signed: of
    one. less: (out,) what the sums of an output are too large by."""

    values: np.ndarray
    bits: int
    signed: bool
    less: np.ndarray


@lru_cache(256)
def stored(layer: LoweredLayer) -> StoredWeights | None:
    """The weights of a folded layer; None of a layer that has none."""
    op, place = layer.op, layer.window
    if not isinstance(op, Conv | Dense):
        return None
    assert place is not None
    values = op.weights.reshape(-1, *place.kernel, 1 if layer.depthwise else place.source[2])
    if not pe(layer.kind).CLAMPS or layer.sources[0].signed or layer.requantise is None:
        return StoredWeights(values, op.bits, True, np.zeros(len(values), np.int64))
    raised = np.maximum(values, 0)
    bits = max(1, int(raised.max()).bit_length())
    return StoredWeights(raised, bits, False, (raised - values).sum((1, 2, 3)))


def folded_requantise(layer: LoweredLayer) -> Requantise | None:
    """What requantises the sums of a folded layer, which are those of its stored weights."""
    node, weights = layer.requantise, stored(layer)
    if node is None or weights is None or not weights.less.any():
        return node
    return replace(node, offset=node.offset - node.multiplier * weights.less)
