"""Estimates of whole networks: cycles against the schedule, energy by hand, share of a device."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from gen.cost.cost import CostModel, buffer_costs
from gen.cost.energy_45nm import energy
from gen.cost.fmax import UNIT, clock_features, fmax, slowness
from gen.cost.unit_energy import ADD, MULTIPLY, READ, SHIFT, SIZE
from gen.engine.units import engine
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Cost, Fold, PlannedLayer
from gen.planner.estimate import estimate, measured_sample, of_plan
from gen.planner.fast_cycles import engine_latency, fast_fifos
from gen.planner.fold_candidates import folds
from gen.planner.planner import Planner, plan, size_fifos
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from model.spec import Add, AvgPool, Dense, Format, Head, Input, Network, Requantise
from search.space import space_files
from search.studies.heldout import random_network
from tests.support.networks import residual_network

SEEDS = range(6)


def networks(seeds: range = SEEDS) -> Iterator[Network]:
    space = space_files.load("8x8")
    for seed in seeds:
        yield random_network(space, space.sample(random.Random(seed)), seed)


@pytest.mark.parametrize("board", ["ulx3s-25f", "up5k"])
def test_fast_cycles_are_those_of_the_schedule(board: str) -> None:
    target = device(board)
    rng = random.Random(board)
    for network in networks():
        layers = lower(network)
        for _ in range(2):
            chosen = {la.name: rng.choice(folds(la, target)[-40:]) for la in layers}
            _, exact = size_fifos(layers, chosen)
            _, fast = fast_fifos(layers, chosen)
            within = 0.06 if joined(layers) else 0.02  # a join may hold up the side without FIFO
            assert abs(fast.latency - exact.latency) <= within * exact.latency, chosen
            for layer in layers:
                if layer.window is not None and not layer.blocks:
                    what = engine(layer, chosen[layer.name])
                    assert engine_latency(layer, chosen[layer.name]) == what.latency


def joined(layers: tuple[LoweredLayer, ...]) -> bool:
    return any(isinstance(layer.op, Add) for layer in layers)


def test_planned_networks_have_the_cycles_of_the_schedule() -> None:
    """But for perfectly balanced layers: see gen.planner.fast_cycles."""
    parts = []
    for network in networks():
        for share in (1.0, 0.5):
            try:
                estimated = estimate(network, device("hx8k"), share=share)
            except DoesNotFitError:
                continue
            made = plan(network, device("hx8k"), luts=share * 0.75 * device("hx8k").lut)
            folded, fast = ([s.fold for s in p.stages] for p in (made, estimated.plan))
            if any(fold.weights == "wired" for fold in folded + fast):
                continue  # counted from graphs in one, by digits in the other
            assert folded == fast
            assert estimated.lut == pytest.approx(made.cost.lut, rel=0.005)  # FIFOs may differ
            assert estimated.cycles_latency == pytest.approx(made.cycles_latency, rel=0.02)
            parts.append(estimated.cycles_interval / made.cycles_interval)
    assert all(0.89 <= part <= 1 for part in parts)
    assert parts.count(1) >= 0.8 * len(parts) > 4


def test_a_share_is_kept_and_costs_speed() -> None:
    target = device("ulx3s-25f")
    (network,) = networks(range(2, 3))
    whole, part = (estimate(network, target, share=s) for s in (1.0, 0.125))
    assert part.lut <= 0.125 * 0.85 * target.lut
    assert part.dsp <= target.dsp // 8
    assert part.cycles_interval > whole.cycles_interval
    assert part.latency_us == pytest.approx(part.cycles_latency / part.fmax_mhz)
    assert part.as_dict().keys() == whole.as_dict().keys()
    assert "plan" not in part.as_dict()
    with pytest.raises(DoesNotFitError, match=r"LUTs|flip-flops|multipliers"):
        estimate(network, target, share=0.01)


def test_a_residual_network_gets_its_fifos_either_way() -> None:
    target = device("ulx3s-25f")
    fast, exact = (estimate(residual_network(), target, fps=2e4, exact=e) for e in (False, True))
    assert fast.plan.stages == exact.plan.stages
    assert (fast.cycles_latency, fast.cycles_interval) == (
        exact.cycles_latency, exact.cycles_interval,
    )  # fmt: skip
    assert fast.plan.fifos.keys() == exact.plan.fifos.keys() != set()


@pytest.mark.parametrize("seed", [3, 4, 18])
def test_fifos_of_the_first_image_cost_as_much_as_those_of_the_schedule(seed: int) -> None:
    target, space = device("ulx3s-25f"), space_files.load("28x28")
    network = random_network(space, space.sample(random.Random(seed)), seed)
    planner = Planner(network, target)
    chosen = {s.name: s.fold for s in planner.plan(exact=False).stages}
    fast, speed = fast_fifos(planner.layers, chosen)
    exact, scheduled = size_fifos(planner.layers, chosen)
    assert fast.keys() == exact.keys() != set()
    for name, depths in exact.items():
        assert fast[name] == pytest.approx(depths, rel=0.5)
    now, then = (
        sum(buffer_costs(planner.layers, chosen, f, target, CostModel.of(target)).values(), Cost())
        for f in (fast, exact)
    )
    assert now.bram == then.bram > 0
    assert now.lut == pytest.approx(then.lut, abs=5)
    assert speed.interval == scheduled.interval
    assert speed.latency == pytest.approx(scheduled.latency, rel=0.001)


def test_a_refitted_model_moves_the_estimate() -> None:
    target = device("hx8k")
    (network,) = networks(range(4, 5))
    first = estimate(network, target)
    measured = {"lut": 1.2 * first.lut, "ff": first.ff, "fmax_mhz": 80.0}
    sample = measured_sample(network, first.plan, target, measured, weight=3)
    model = CostModel.of(target).refit([sample])
    moved = of_plan(network, first.plan, target, model)
    assert moved.lut == first.lut  # the plan holds what it was planned with
    features = {
        k: v for k, v in sample.features.items() if k not in ("base", "use", "pools", "pool_ram")
    }
    assert model.price(features)[0] == pytest.approx(measured["lut"], rel=0.02)
    assert abs(moved.fmax_mhz - 80) < abs(first.fmax_mhz - 80)


def dense(kind: str, bits: int, unit: int) -> Network:
    weights = np.full((4, 16), unit)
    ones = np.ones(4, dtype=np.int64)
    return Network(
        (
            Input("x", (1, 1, 16), Format(4)),
            Dense("d", ("x",), kind, weights, bits),
            Requantise("r", ("d",), 4 * ones, 0 * ones, 2, Format(12, True)),
            Head("h", ("r",)),
        )
    )


def test_energy_by_hand() -> None:
    target = device("up5k")
    fold = Fold(pe=2, lanes=4, out_lanes=1)
    for kind, unit, term, bits in (
        ("mult", 3, MULTIPLY * 4 * 4, 8),
        ("shift", 4, SHIFT * 10 * 3, 10),
        ("add", 3, ADD * 5, 5),
    ):
        network = dense(kind, 4, unit)
        layers = lower(network)
        made = plan(network, target, fps=100)
        stages = tuple(s if s.name != "r" else type(s)(s.name, s.kind, fold, 0, s.cost)
                       for s in made.stages)  # fmt: skip
        energy_parts = energy(network, type(made)("", target.name, stages))
        acc = layers[1].sum_bits
        terms = 64 * (term + ADD * (3 * bits + acc) / 4)
        assert getattr(energy_parts, kind) == pytest.approx(terms / 1000)
        weights = READ * 64 * 4 * sqrt(64 * 4 / SIZE)
        assert energy_parts.weights == pytest.approx(weights / 1000)
        ring = engine(layers[1], fold).geometry.depth * 16
        words = (4 + 8) * 16  # written once, read for each of two output folds
        assert energy_parts.activations == pytest.approx(READ * words * sqrt(ring / SIZE) / 1000)
        assert energy_parts.total == pytest.approx(sum(energy_parts.as_dict().values()))
        others = {"mult", "shift", "add"} - {kind}
        assert all(getattr(energy_parts, other) == 0 for other in others)


def test_clock_is_the_inverse_of_slowness_and_falls_with_use() -> None:
    target = device("hx8k")
    assert slowness(target.mhz, target) == UNIT
    assert fmax({"base": 1.0}, {"base": slowness(123.0, target)}, target) == pytest.approx(123)
    model = CostModel.of(target)
    small, tight = (model.fmax_mhz([PlannedLayer("c", "mult", Fold(), 1, Cost())], n, target)
                    for n in (500, 6000))  # fmt: skip
    assert 0.5 * target.mhz < tight <= small < 2 * target.mhz
    pool = PlannedLayer("p", "max", Fold(line_buffer="block"), 1, Cost())
    assert clock_features([pool], 3840, target) == {"base": 1, "use": 0.5, "pool_ram": 1}
    assert model.fmax_mhz([pool], 500, target) <= small


def test_overlapping_average_pools_have_the_cycles_of_the_schedule() -> None:
    """They go through an engine without weights, whose elements take no width of a weight."""
    channels = 3
    ones = np.ones(channels, dtype=np.int64)
    network = Network(
        (
            Input("x", (7, 7, channels), Format(4)),
            AvgPool("p", ("x",), 3, 2),
            Requantise("r", ("p",), 7 * ones, 0 * ones, 6, Format(4)),
            Dense("d", ("r",), "mult", np.ones((2, 27), dtype=np.int64), 4),
            Requantise("s", ("d",), ones[:2], 0 * ones[:2], 0, Format(12, True)),
            Head("h", ("s",)),
        )
    )
    layers = lower(network)
    chosen = {layer.name: folds(layer, device("ulx3s-25f"))[-1] for layer in layers}
    _, exact = size_fifos(layers, chosen)
    assert fast_fifos(layers, chosen)[1] == exact
    assert estimate(network, device("up5k")).cycles_latency > 0


def test_scaling_by_nothing_takes_no_energy() -> None:
    """All multipliers are 0, as training may leave them: no shifter is left to be counted."""
    network = dense("mult", 4, 3)
    node = network.nodes[2]
    assert isinstance(node, Requantise)
    nothing = replace(node, multiplier=0 * node.multiplier)
    network = Network((*network.nodes[:2], nothing, network.nodes[3]))
    assert energy(network, plan(network, device("up5k"), fps=100)).requantise == 0
