"""Random layers of the sizes that small networks have, to be measured."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Fold
from gen.plan.spread import connections
from gen.planner.fold_candidates import folds, wired_folds
from gen.support.devices import Device
from model.kinds import kind, ordered_kinds, plain_kind
from model.spec import (
    AvgPool,
    Conv,
    Dense,
    Format,
    Head,
    Input,
    MaxPool,
    Network,
    Node,
    Padding,
    Requantise,
    infer,
)
from rtl.pe.element import sums_of

SCORES = Format(16, True)
WIRED, CONNECTIONS, INPUTS = 0.15, 1000, 256
"""Share of the layers that are wired where they may be; the most connections and inputs of one."""
WHOLE = 0.7
"""Share of the layers on multipliers that are not divided."""


def random_layer(rng: random.Random) -> LoweredLayer:
    """A layer of a size that small networks have, with random weights."""
    draw = np.random.default_rng(rng.randrange(1 << 32))
    operator = kind(rng.choice([k for k in ordered_kinds() if kind(k).calibrated_bits]))
    size, c = rng.choice([4, 7, 8, 14, 28]), rng.choice([1, 3, 4, 8, 12, 16, 32])
    out, k = rng.choice([4, 8, 10, 12, 16, 32]), rng.choice([1, 3, 3, 5])
    bits = rng.choice(operator.calibrated_bits)
    nodes: list[Node] = [Input("x", (size, size, c), Format(rng.choice([4, 5, 6, 8])))]
    op = rng.choice(["conv"] * 5 + ["depthwise", "dense", "dense", "maxpool", "avgpool"])
    if op == "dense":
        nodes[0] = Input("x", (1, 1, 8 * c), Format(rng.choice([4, 6, 8])))
    shape = {
        "conv": (out, k, k, c),
        "depthwise": (c, k, k, 1),
        "dense": (out, 8 * c),
    }.get(op, (1,))
    weights = operator.random_weights(draw, bits, shape)
    padding: Padding = rng.choice(["same", "valid"]) if size >= k else "same"
    match op:
        case "conv":
            nodes.append(Conv("op", ("x",), operator.name, weights, bits, 1, padding))
        case "depthwise":
            nodes.append(Conv("op", ("x",), operator.name, weights, bits, 1, padding, True))
        case "dense":
            nodes.append(Dense("op", ("x",), operator.name, weights, bits))
        case "maxpool":
            nodes.append(MaxPool("op", ("x",)))
        case _:
            nodes.append(AvgPool("op", ("x",)))
    channels = shape[0] if op in ("conv", "depthwise", "dense") else c
    if op != "maxpool":
        m = draw.integers(64, 256, channels) * draw.choice([-1, 1], channels)
        b = draw.integers(-(1 << 14), 1 << 14, channels)
        form = Format(rng.choice([4, 6, 8]))
        nodes.append(Requantise("r", ("op",), m, b, rng.randint(8, 14), form))
    return last_layer(nodes)


def last_layer(nodes: list[Node]) -> LoweredLayer:
    """The layer that ends in the last of `nodes`, in a network made around them."""
    return next(la for la in lower(with_classifier(nodes)) if la.name == nodes[-1].name)


def with_classifier(nodes: list[Node]) -> Network:
    """A network of `nodes` and, behind the last of them, a classifier of two classes."""
    last = nodes[-1].name
    size = int(np.prod(infer(Network(tuple(nodes)))[last].shape))
    return Network(
        (
            *nodes,
            Dense("scores", (last,), plain_kind(), np.ones((2, size), dtype=np.int64), 2),
            Requantise("clipped", ("scores",), np.ones(2, int), np.zeros(2, int), 0, SCORES),
            Head("head", ("clipped",)),
        )
    )


def random_fold(rng: random.Random, layer: LoweredLayer, target: Device) -> Fold:
    """A folding of moderate width: wide ones are rare in small devices. Now and then a small layer
    is wired, and one on multipliers divided."""
    offers = [f for f in folds(layer, target) if f.pe * f.lanes * f.taps <= 64]
    if layer.window is not None and rng.random() < WIRED:
        few = [
            fold for fold in wired_folds(layer, target, layer.sources[0].shape[0] ** 2)
            if connections(layer, fold.word) <= CONNECTIONS and fold.lanes * fold.taps <= INPUTS
        ]  # fmt: skip
        offers = few or offers
    return divided(rng, rng.choice(offers))


def divided(rng: random.Random, fold: Fold) -> Fold:
    """Now and then with some of its PE made of LUTs, where there are multipliers."""
    step = sums_of(fold.multiplier)
    if fold.multiplier == "lut" or fold.pe <= step or rng.random() < WHOLE:
        return fold
    return replace(fold, logic_pe=fold.pe - step * rng.randrange(1, -(-fold.pe // step)))
