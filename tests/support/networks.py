"""A small residual network of all kinds, and images for it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from model.spec import (
    Add,
    Conv,
    Dense,
    Format,
    GlobalAvgPool,
    Head,
    Input,
    MaxPool,
    Network,
    Node,
    Requantise,
    infer,
)
from tests.support.layer_cases import random_weights

SHAPE = (7, 6, 2)


def residual_network(seed: int = 0) -> Network:
    """Two residual blocks, one with a convolution in its shortcut, of all three kinds."""
    rng = random.Random(seed)
    nodes: list[Node] = [Input("x", SHAPE, Format(6))]

    def weighted(name: str, source: str, kind: str, shape: tuple[int, ...], **more: Any) -> str:
        bits = 4 if kind == "shift" else 5
        weights = random_weights(rng, kind, bits, shape)
        made = Dense if len(shape) == 2 else Conv
        nodes.append(made(name, (source,), kind, weights, bits, **more))
        return requantised(f"{name}_q", name)

    def requantised(name: str, source: str, form: Format = Format(5)) -> str:
        sums = infer(Network(tuple(nodes)))[source]
        scale = form.hi * (1 << 12) / max(abs(sums.lo), sums.hi)
        m = np.array([max(1, int(3 * scale * rng.uniform(0.5, 1))) for _ in range(sums.shape[2])])
        b = np.array([-sums.lo * int(m[0]) // 2 * (source != "s") for _ in m])
        nodes.append(Requantise(name, (source,), m, b, 12, form))
        return name

    stem = weighted("c0", "x", "mult", (4, 3, 3, 2))
    a = weighted("c1", stem, "shift", (4, 3, 3, 4))
    nodes.append(Add("a1", (a, stem), (0, 1)))
    one = requantised("a1_q", "a1")
    b = weighted("c2", one, "add", (6, 3, 3, 4), stride=2)
    c = weighted("c3", one, "mult", (6, 1, 1, 4), stride=2)
    nodes.append(Add("a2", (b, c)))
    two = requantised("a2_q", "a2")
    nodes.append(MaxPool("p", (two,), 2, 1))
    nodes.append(GlobalAvgPool("g", ("p",)))
    mean = requantised("g_q", "g")
    nodes.append(Dense("s", (mean,), "mult", random_weights(rng, "mult", 6, (3, 6)), 6))
    requantised("s_q", "s", Format(10, True))
    nodes.append(Head("h", ("s_q",)))
    return Network(tuple(nodes))


def pixels(count: int, seed: int = 0) -> torch.Tensor:
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.integers(0, 64, (count, *SHAPE)))
