"""The schedule, which follows words, against one that asks all blocks in each cycle."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import prod

import pytest

from gen.engine import schedule
from gen.engine.assemble import Assembly, assemble
from gen.engine.stream_cycles import FifoCycles
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Fold
from gen.planner.fold_candidates import divisors, folds
from gen.support.devices import device
from tests.support import schedule_oracle
from tests.support.layer_cases import random_network
from tests.support.networks import residual_network
from tests.support.schedule_oracle import stepped
from tests.support.stepped_streams import FifoCycles as SteppedFifo

Outcome = tuple[schedule.Cycles | str, dict[str, int]]
Depths = Mapping[str, tuple[int | None, int | None]]


def words(assembly: Assembly) -> dict[str, int]:
    """At the ports, of an image and of its answer."""
    return {
        "words_in": assembly.bytes_in // assembly.word_in,
        "words_out": assembly.bytes_out // assembly.word_out,
    }


def expected(assembly: Assembly) -> Outcome:
    """Cycles and needed depths cycle by cycle."""
    graph, models = stepped(assembly)
    try:
        cycles = schedule_oracle.run(graph, **words(assembly))
    except schedule.Stuck:
        return "stuck", {}
    return cycles, {n: m.needed for n, m in models.items() if isinstance(m, SteppedFifo)}


def scheduled(assembly: Assembly) -> Outcome:
    """The same from the schedule."""
    graph, models = assembly.graph()
    try:
        cycles = schedule.run(graph, **words(assembly), complete=True)
    except schedule.Stuck:
        return "stuck", {}
    needs = {n: m.needed(cycles.ran) for n, m in models.items() if isinstance(m, FifoCycles)}
    return cycles, needs


def assembled(rng: random.Random, layers: tuple[LoweredLayer, ...], depths: Depths) -> Assembly:
    """Layers with folds, and now and then ports, at random."""
    board = device(rng.choice(["ulx3s-85f", "up5k"]))
    chosen = {layer.name: rng.choice(folds(layer, board)) for layer in layers}
    if rng.random() < 0.5:
        values, classes = (prod(layer.out.shape) for layer in (layers[0], layers[-1]))
        ports = rng.choice(divisors(values, values)), rng.choice([1, classes])
        for layer, lanes in zip((layers[0], layers[-1]), ports, strict=True):
            chosen[layer.name] = Fold(lanes=lanes, out_lanes=lanes)
    return assemble(layers, chosen, depths)


@pytest.mark.slow(sample=3)
@pytest.mark.parametrize("first", range(0, 120, 20))
def test_layers_of_random_folds_take_the_cycles_of_the_oracle(first: int) -> None:
    for seed in range(first, first + 20):
        rng = random.Random(seed)
        assembly = assembled(rng, lower(random_network(rng)[0]), {})
        assert scheduled(assembly) == expected(assembly), seed


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize("first", range(0, 40, 10))
def test_residual_networks_take_the_cycles_and_depths_of_the_oracle(first: int) -> None:
    outcomes = []
    for seed in range(first, first + 10):
        rng = random.Random(seed)
        layers = lower(residual_network(seed))
        joins = [layer.name for layer in layers if len(layer.inputs) == 2]
        free = rng.random() < 0.4
        depths = {
            j: (None, None) if free else (rng.choice([0, 3, 20]), rng.choice([0, 9, 60]))
            for j in joins
        }
        assembly = assembled(rng, layers, depths)
        outcomes.append(scheduled(assembly))
        assert outcomes[-1] == expected(assembly), seed
    assert {"stuck"} < {str(cycles) for cycles, _ in outcomes}
