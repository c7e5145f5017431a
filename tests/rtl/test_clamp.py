"""Layers of add with clamped inputs equal the golden model; and where inputs are clamped."""

from __future__ import annotations

import random

import numpy as np
import pytest

from gen.calibrate.random_layers import with_classifier
from gen.cost.features import describe
from gen.engine.units import engine
from gen.plan.lower import lower
from gen.plan.plan import Fold
from gen.planner.fast_cycles import engine_latency
from gen.support.devices import device
from model.spec import Conv, Format, Input, Network, Node
from rtl.clamp import clamped_bits
from sim.bench.streams import run_streams
from tests.support.layer_cases import case_of, requantise


@pytest.mark.parametrize(
    ("weights", "x_bits", "x_signed", "bits"),
    [
        ([-8, 7], 8, False, 3), ([0, 15], 8, False, 4), ([-8, -1], 8, False, 1),
        ([-8, 7], 8, True, 4), ([-9, 3], 8, True, 5), ([100, 127], 8, True, 8),
        ([100, 127], 6, False, 6),
    ],
)  # fmt: skip
def test_bits_of_a_clamped_input(
    weights: list[int], x_bits: int, x_signed: bool, bits: int
) -> None:
    assert clamped_bits(np.array(weights), x_bits, x_signed) == bits
    low = -(1 << bits - 1) if x_signed else min(weights)
    if bits < x_bits:
        assert low <= min(weights)
        assert max(weights) < 1 << bits - x_signed


def network(signed: bool, w_bits: int, step: int = 0) -> Network:
    rng = random.Random(5)
    weights = np.random.default_rng(5).integers(-(1 << w_bits - 1), 1 << w_bits - 1, (8, 3, 3, 4))
    weights <<= step
    nodes: list[Node] = [
        Input("x", (6, 6, 4), Format(8, signed)),
        Conv("op", ("x",), "add", weights, w_bits, 1, "same", step=step),
    ]
    nodes.append(requantise(rng, "req", "op", nodes[1], nodes[:1]))
    return with_classifier(nodes)


@pytest.mark.slow(sample=6)
@pytest.mark.parametrize(
    ("signed", "step"), [(False, 0), (True, 0), (False, 1)], ids=["unsigned", "signed", "step"]
)
@pytest.mark.parametrize(
    "fold",
    [
        Fold(pe=8, lanes=4, out_lanes=8),
        Fold(pe=8, lanes=4, taps=3, out_lanes=4, weights="parts"),
        Fold(pe=8, lanes=2, out_lanes=1, weights="block"),
    ],
    ids=["all out", "drained", "one out"],
)
def test_clamped_layer_equals_the_golden_model(signed: bool, fold: Fold, step: int) -> None:
    made, target = network(signed, 4, step), device("ulx3s-25f")
    layer = next(la for la in lower(made) if la.name == "req")
    block = engine(layer, fold)
    assert block.lane_bits == (4 if signed else 3) + step
    assert engine_latency(layer, fold) == block.latency
    case = case_of(made, "req", fold, seed=9)
    for stall in (0.0, 0.4):
        (result,) = run_streams(
            [case.stream], simulator="icarus", seed=1, stall_in=stall, stall_out=stall / 2,
            timeout=5000,
        )  # fmt: skip
        assert result.ok, result
        if not stall:
            assert (result.latency, result.interval) == (
                case.cycles.latency,
                case.cycles.interval,
            )
    narrow, _ = describe(layer, fold, target)
    wide = next(la for la in lower(network(signed, 8)) if la.name == "req")
    assert narrow["lane_add"] < describe(wide, fold, target)[0]["lane_add"]


def test_few_elements_take_inputs_as_they_are() -> None:
    layer = next(la for la in lower(network(False, 4)) if la.name == "req")
    assert engine(layer, Fold(pe=1, lanes=1)).lane_bits == 8
