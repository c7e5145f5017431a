"""Networks of equal layers one behind another."""

from __future__ import annotations

import random

import numpy as np

from gen.calibrate.random_layers import with_classifier
from model.spec import Conv, Dense, Format, Input, Network, Node, Requantise
from tests.support.layer_cases import random_weights

WIDTH, LAYERS = 8, 3


def chain(kind: str, size: int) -> Network:
    """Equal layers one behind another: convolutions, or on single pixels dense ones."""
    rng = random.Random(1)
    nodes: list[Node] = [Input("x", (size, size, WIDTH), Format(4))]
    multiplier, offset = np.full(WIDTH, 9), np.zeros(WIDTH, int)
    for k in range(LAYERS):
        before = (nodes[-1].name,)
        if size > 1:
            weights = random_weights(rng, kind, 4, (WIDTH, 3, 3, WIDTH))
            nodes.append(Conv(f"op{k}", before, kind, weights, 4))
        else:
            weights = random_weights(rng, kind, 4, (WIDTH, WIDTH))
            nodes.append(Dense(f"op{k}", before, kind, weights, 4))
        nodes.append(Requantise(f"q{k}", (f"op{k}",), multiplier, offset, 8, Format(4)))
    return with_classifier(nodes)
