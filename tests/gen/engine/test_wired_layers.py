"""Wired layers in RTL: sums of a pixel, a row or an image a word equal the golden model, and take
the cycles that the schedule says; beside folded layers in one network, and for every kind."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np
import pytest
import torch

from gen.engine.elaborate import elaborate
from gen.engine.units import engine, wired
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import WORDS, Cost, Fold, Plan, PlannedLayer, Word
from gen.plan.spread import wired_fold, word_values
from gen.planner.fast_cycles import fast_fifos
from gen.planner.fold_candidates import folds
from gen.planner.planner import size_fifos
from gen.support.devices import device
from gen.support.errors import PlanError
from model import golden
from model.spec import Add, Conv, Dense, Head, Input, Network
from model.store import content_hash
from sim.verify.network import simulate
from tests.support.layer_cases import random_network
from tests.support.networks import pixels, residual_network

NAME = "lfe5u-25f"


def planned(network: Network, folded: Mapping[str, Fold]) -> Plan:
    layers = lower(network)
    fifos, cycles = size_fifos(layers, dict(folded))
    stages = tuple(PlannedLayer(la.name, la.kind, folded[la.name], 0, Cost()) for la in layers)
    return Plan(
        content_hash(network), NAME, stages, fifos,
        cycles_latency=cycles.latency, cycles_interval=cycles.interval,
    )  # fmt: skip


def port(values: int) -> Fold:
    return Fold(lanes=values, out_lanes=values)


def one_wired(seed: int) -> tuple[Network, LoweredLayer, dict[str, Fold]]:
    """A network around a random layer that is wired, the layer, and random other folds."""
    rng = random.Random(seed)
    network, name = random_network(rng)
    word = WORDS[seed % len(WORDS)]
    target = device(NAME)
    folded = {}
    for layer in lower(network):
        folded[layer.name] = rng.choice(folds(layer, target))
        if isinstance(layer.op, Input):
            folded[layer.name] = port(rng.choice([1, word_values(layer.out.shape, word)]))
        if layer.name == name:
            meant, folded[name] = layer, wired_fold(layer, word)
    return network, meant, folded


def images_for(network: Network, seed: int, count: int = 4) -> torch.Tensor:
    x = network.input
    draw = np.random.default_rng(seed)
    shape = (count, *x.shape)
    return torch.from_numpy(draw.integers(x.format.lo, x.format.hi + 1, shape))


@pytest.mark.slow(sample=5)
@pytest.mark.parametrize("case", range(12))
def test_wired_layer_equals_the_golden_model(case: int, quick_simulator: str) -> None:
    network, layer, folded = one_wired(case)
    made = planned(network, folded)
    images = images_for(network, case)
    result = simulate(network, elaborate(network, made), images, simulator=quick_simulator)
    assert result.ok, (layer.op, folded[layer.name], result)
    assert (result.cycles_latency, result.cycles_interval) == (
        made.cycles_latency, made.cycles_interval,
    )  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_residual_network_wired_throughout(word: Word) -> None:
    """The graph alone, without a simulator: every layer, all images of a word at once."""
    network = residual_network(3)
    images = pixels(3, 3)
    values = golden.run(network, images, keep=[node.name for node in network.nodes])
    for layer in lower(network):
        if layer.window is None:
            continue
        graph = wired(layer, "image")
        x = values[layer.inputs[0]].flatten(1).numpy()
        wanted = values[layer.name].flatten(1).numpy()
        assert np.array_equal(graph.evaluate(x), wanted), layer.name
        fold = wired_fold(layer, word)
        sums_of_image = prod(layer.sums.shape)
        assert engine(layer, fold).geometry.cycles == sums_of_image // fold.pe


def test_an_image_a_cycle_in_rtl(quick_simulator: str) -> None:
    """All words are images: a result a clock."""
    network, name = random_network(random.Random(7))
    layers = lower(network)
    folded = {}
    for layer in layers:
        if isinstance(layer.op, Input | Head):
            folded[layer.name] = port(prod(layer.out.shape))
        else:
            assert not isinstance(layer.op, Add)
            folded[layer.name] = wired_fold(layer, "image")
    made = planned(network, folded)
    assert name in folded
    _, fast = fast_fifos(layers, folded)
    assert made.cycles_interval == fast.interval == 1
    assert abs(made.cycles_latency - fast.latency) <= 8
    images = images_for(network, 7, 9)
    result = simulate(network, elaborate(network, made), images, simulator=quick_simulator)
    assert result.ok, result
    assert (result.cycles_latency, result.cycles_interval) == (made.cycles_latency, 1)


def test_sums_without_inputs_are_their_constants(quick_simulator: str) -> None:
    """Half of the outputs have no weight but zero."""
    network, name = random_network(random.Random(3))
    node = next(n for n in network.nodes if n.name == "op")
    assert isinstance(node, Conv | Dense)
    weights = node.weights.copy()
    weights[::2] = 0
    nodes = tuple(replace(node, weights=weights) if n is node else n for n in network.nodes)
    network = Network(nodes, network.classes)
    layers = lower(network)
    folded = {la.name: folds(la, device(NAME))[0] for la in layers}
    layer = next(la for la in layers if la.name == name)
    folded[name] = wired_fold(layer, "pixel")
    result = simulate(
        network, elaborate(network, planned(network, folded)), images_for(network, 1),
        simulator=quick_simulator,
    )  # fmt: skip
    assert result.ok, result


def test_other_folds_of_wired_weights_are_refused() -> None:
    network, layer, folded = one_wired(0)
    made = planned(network, folded)

    def with_fold(fold: Fold) -> Plan:
        stages = tuple(replace(s, fold=fold) if s.name == layer.name else s for s in made.stages)
        return replace(made, stages=stages)

    elaborate(network, made)
    fold = folded[layer.name]
    with pytest.raises(PlanError, match="wired, a pixel a word, is"):
        elaborate(network, with_fold(replace(fold, pe=1, out_lanes=1)))
    for change in ({"logic_pe": 1}, {"multiplier": "packed"}):
        with pytest.raises(PlanError, match="wired, a pixel a word, is"):
            elaborate(network, with_fold(replace(fold, **change)))
    with pytest.raises(PlanError, match="word 'row' is for weights that are wired"):
        elaborate(network, with_fold(replace(fold, weights="logic", word="row")))
