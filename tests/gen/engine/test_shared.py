"""Modules that stand in a design many times: nothing is said of the components left aside."""

from __future__ import annotations

import gc
import random
import re
import warnings

import numpy as np
import pytest

from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.support.devices import device
from model.spec import Conv, Dense, Format, Head, Input, Network, Node, Requantise
from tests.support.layer_cases import random_weights

WIDTH, LAYERS = 8, 3
SCORES = Format(8, signed=True)


def chain(kind: str, size: int) -> Network:
    """Equal layers one behind another: convolutions, or on single pixels dense ones."""
    rng = random.Random(1)
    nodes: list[Node] = [Input("x", (size, size, WIDTH), Format(4))]

    def requantised(form: Format) -> None:
        ones, zeros = np.full(WIDTH, 9), np.zeros(WIDTH, int)
        nodes.append(Requantise(f"q{nodes[-1].name}", (nodes[-1].name,), ones, zeros, 8, form))

    for k in range(LAYERS):
        before = (nodes[-1].name,)
        if size > 1:
            weights = random_weights(rng, kind, 4, (WIDTH, 3, 3, WIDTH))
            nodes.append(Conv(f"op{k}", before, kind, weights, 4))
        else:
            weights = random_weights(rng, kind, 4, (WIDTH, WIDTH))
            nodes.append(Dense(f"op{k}", before, kind, weights, 4))
        requantised(Format(4))
    nodes.append(
        Dense("last", (nodes[-1].name,), "mult", np.ones((WIDTH, size * size * WIDTH), int), 2)
    )
    requantised(SCORES)
    return Network((*nodes, Head("head", (nodes[-1].name,))))


@pytest.mark.parametrize("size", [1, 4], ids=["direct windows", "sliding windows"])
@pytest.mark.parametrize("kind", ["mult", "shift", "add"])
def test_nothing_is_said_of_components_that_are_written_once(kind: str, size: int) -> None:
    network = chain(kind, size)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = elaborate(network, plan(network, device("ulx3s-85f"), fps=100_000))
        gc.collect()
    assert not [str(one.message) for one in told]
    instances = re.findall(r"^  (\S+) +\S+ \($", made.verilog, re.MULTILINE)
    assert len(instances) > len(set(instances)) > LAYERS
