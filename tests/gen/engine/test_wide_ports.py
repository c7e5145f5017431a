"""Words of several bytes at the ports: the same answers, in the cycles that the schedule says."""

from __future__ import annotations

import random
from dataclasses import replace
from math import prod

import pytest

from gen.engine.elaborate import elaborate
from gen.plan.lower import lower
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.planner.fast_cycles import fast_fifos
from gen.planner.fold_candidates import divisors, folds
from gen.planner.planner import size_fifos
from gen.support.devices import device
from gen.support.errors import PlanError
from model.spec import Network
from model.store import content_hash
from sim.bench.wrapper import ports
from sim.verify.network import simulate
from tests.support.networks import pixels, residual_network

NAME = "lfe5u-25f"


def wide_plan(network: Network, lanes: int, scores: int, rng: random.Random) -> Plan:
    """Random foldings behind a port of `lanes` values; `scores` in a word of the head."""
    layers = lower(network)
    chosen = {layer.name: rng.choice(folds(layer, device(NAME))) for layer in layers}
    for layer, n in ((layers[0], lanes), (layers[-1], scores)):
        chosen[layer.name] = Fold(lanes=n, out_lanes=n)
    fifos, cycles = size_fifos(layers, chosen)
    stages = tuple(PlannedLayer(la.name, la.kind, chosen[la.name], 0, Cost()) for la in layers)
    return Plan(
        content_hash(network), NAME, stages, fifos,
        cycles_latency=cycles.latency, cycles_interval=cycles.interval,
    )  # fmt: skip


@pytest.mark.parametrize("wide_output", [False, True])
def test_words_of_several_bytes(wide_output: bool, quick_simulator: str, seed: int) -> None:
    rng = random.Random(seed)
    network = residual_network(seed)
    size, classes = prod(network.input.shape), lower(network)[-1].out.shape[2]
    lanes = rng.choice(divisors(size, size)[1:])
    made = wide_plan(network, lanes, classes if wide_output else 1, rng)
    accelerator = elaborate(network, made)
    widths = ports(accelerator.verilog, accelerator.top)
    answer = accelerator.bytes_out if wide_output else 1
    assert (widths["s_axis_tdata"], widths["m_axis_tdata"]) == (8 * lanes, 8 * answer)
    result = simulate(network, accelerator, pixels(5, seed), simulator=quick_simulator)
    assert result.ok, result
    assert (result.cycles_latency, result.cycles_interval) == (
        made.cycles_latency, made.cycles_interval,
    )  # fmt: skip
    assert result.answers == simulate(
        network, elaborate(network, wide_plan(network, 1, 1, rng)), pixels(5, seed),
        simulator=quick_simulator,
    ).answers  # fmt: skip


def test_fast_cycles_know_wide_ports(seed: int) -> None:
    rng = random.Random(seed)
    network = residual_network(seed)
    layers = lower(network)
    made = wide_plan(network, prod(network.input.shape), layers[-1].out.shape[2], rng)
    _, fast = fast_fifos(layers, {stage.name: stage.fold for stage in made.stages})
    assert abs(fast.interval - made.cycles_interval) <= 0.05 * made.cycles_interval


@pytest.mark.parametrize(("end", "lanes", "rule"), [(0, 5, "84 values"), (-1, 2, "scores")])
def test_ports_of_other_widths_are_refused(end: int, lanes: int, rule: str) -> None:
    network = residual_network()
    made = wide_plan(network, 1, 1, random.Random(0))
    stages = list(made.stages)
    stages[end] = replace(stages[end], fold=Fold(lanes=lanes, out_lanes=lanes))
    with pytest.raises(PlanError, match=rule):
        elaborate(network, replace(made, stages=tuple(stages)))
