"""Weights of add are stored without a sign where no input is negative; the sums are made up for."""

from __future__ import annotations

import numpy as np
import pytest

from gen.calibrate.random_layers import last_layer
from gen.plan.lower import LoweredLayer
from gen.plan.stored import folded_requantise, stored
from model.spec import Dense, Format, Input, Node, Requantise

WEIGHTS = np.array([[-8, 3, 0, -1], [5, -2, 2, 4], [0, 1, 2, 3]])
FACTORS, OFFSETS = np.array([3, -5, 7]), np.array([10, 20, 30])


def layer_of(kind: str, *, x_signed: bool = False, step: int = 0) -> LoweredLayer:
    nodes: list[Node] = [
        Input("x", (1, 1, 4), Format(4, x_signed)),
        Dense("op", ("x",), kind, WEIGHTS << step, 4, step),
        Requantise("r", ("op",), FACTORS, OFFSETS, 2, Format(4)),
    ]
    return last_layer(nodes)


def test_negative_weights_are_stored_as_0() -> None:
    layer = layer_of("add")
    held, node = stored(layer), folded_requantise(layer)
    assert held is not None
    assert node is not None
    assert held.values.reshape(3, 4).tolist() == [[0, 3, 0, 0], [5, 0, 2, 4], [0, 1, 2, 3]]
    assert (held.bits, held.signed) == (3, False)
    assert held.less.tolist() == [9, 2, 0]
    assert node.offset.tolist() == [10 - 3 * 9, 20 + 5 * 2, 30]
    x = np.random.default_rng(0).integers(0, 16, (50, 1, 4))
    sums, others = (-abs(x - w).sum(2) for w in (WEIGHTS, held.values.reshape(3, 4)))
    assert (sums * FACTORS + OFFSETS == others * FACTORS + node.offset).all()


def test_bits_of_weights_with_a_step_are_those_of_its_multiples() -> None:
    held = stored(layer_of("add", step=3))
    assert held is not None
    assert held.values.reshape(3, 4).tolist() == [[0, 24, 0, 0], [40, 0, 16, 32], [0, 8, 16, 24]]
    assert (held.bits, held.signed, held.step) == (3, False, 3)
    assert held.less.tolist() == [72, 16, 0]


@pytest.mark.parametrize(
    "layer",
    [layer_of("mult"), layer_of("add", x_signed=True)],
    ids=["of mult", "of signed inputs"],
)
def test_others_are_stored_as_they_are(layer: LoweredLayer) -> None:
    held = stored(layer)
    assert held is not None
    assert held.values.reshape(3, 4).tolist() == WEIGHTS.tolist()
    assert (held.bits, held.signed) == (4, True)
    assert not held.less.any()
    assert folded_requantise(layer) is layer.requantise
