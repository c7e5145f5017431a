"""Whole networks from plan to RTL: bit-exact, and in the cycles that the plan says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from amaranth.hdl import Fragment

from gen.cost.cost import predict
from gen.engine import schedule
from gen.engine.assemble import assemble
from gen.engine.elaborate import Top, elaborate
from gen.engine.module_name import TOP
from gen.engine.units import engine
from gen.flow.synth import synthesise
from gen.plan.lower import lower
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer, load, save
from gen.planner.fold_candidates import folds
from gen.planner.planner import plan, size_fifos
from gen.support.cache import Cache
from gen.support.devices import device
from gen.support.errors import PlanError
from model.spec import (
    Dense,
    Format,
    Head,
    Input,
    Network,
    Node,
    Requantise,
)
from model.store import content_hash
from sim.verify.network import simulate
from tests.support.layer_cases import random_weights
from tests.support.netlists import BLOCK_CELLS, blocks
from tests.support.networks import pixels, residual_network


@pytest.mark.parametrize("fps", [None, 60_000])
def test_residual_network_in_rtl(fps: float | None, quick_simulator: str) -> None:
    network = residual_network()
    made = plan(network, device("ulx3s-25f"), fps=fps)
    accelerator = elaborate(network, made)
    result = simulate(network, accelerator, pixels(4), simulator=quick_simulator)
    assert result.ok, result
    assert (result.cycles_latency, result.cycles_interval) == (
        made.cycles_latency,
        made.cycles_interval,
    )


def renamed(network: Network, names: dict[str, str]) -> Network:
    def new(node: Node) -> Node:
        inputs = tuple(names.get(name, name) for name in node.inputs)
        changes: dict[str, Any] = {"name": names.get(node.name, node.name), "inputs": inputs}
        return replace(node, **changes)

    return Network(tuple(map(new, network.nodes)), network.classes)


def test_layers_may_be_called_as_blocks_beside_them_are() -> None:
    """Those of a stranger's network can have any name."""
    network = residual_network()
    fold_of = {la.name: folds(la, device("up5k"))[0] for la in lower(network)}
    depths, usual = size_fifos(lower(network), fold_of)
    blocks = [block.name for block in assemble(lower(network), fold_of, depths).blocks]
    beside = [name for name in blocks if name not in {node.name for node in network.nodes}]
    assert len(beside) >= 4
    layers = [layer.name for layer in lower(network)][1:]
    names = dict(zip(layers, [*beside, "clk", "module", "rst", "x_valid"], strict=False))
    other = renamed(network, names)
    others = {names.get(name, name): fold for name, fold in fold_of.items()}
    fifos, cycles = size_fifos(lower(other), others)
    assert cycles == usual
    parts = assemble(lower(other), others, fifos)
    assert len({block.name for block in parts.blocks}) == len(blocks)
    Fragment.get(Top(parts), None)


def test_random_foldings_of_a_whole_network_in_rtl(quick_simulator: str, seed: int) -> None:
    rng = random.Random(seed)
    network = residual_network(seed)
    layers = lower(network)
    chosen = {layer.name: rng.choice(folds(layer, device("ulx3s-25f"))) for layer in layers}
    fifos, cycles = size_fifos(layers, chosen)
    stages = tuple(PlannedLayer(la.name, la.kind, chosen[la.name], 0, Cost()) for la in layers)
    made = Plan(content_hash(network), "lfe5u-25f", stages, fifos)
    result = simulate(network, elaborate(network, made), pixels(4, seed), simulator=quick_simulator)
    assert result.ok, result
    assert (result.cycles_latency, result.cycles_interval) == (cycles.latency, cycles.interval)


def deep_network(inputs: int, outputs: int, unit: int = 1) -> Network:
    """A dense layer of so many weights at 6 bits, all multiples of `unit`."""
    weights = random_weights(random.Random(inputs), "mult", 6, (outputs, inputs)) // unit * unit
    nodes: list[Node] = [
        Input("x", (1, 1, inputs), Format(6)),
        Dense("d", ("x",), "mult", weights, 6),
        Requantise("q", ("d",), np.ones(outputs, int), np.zeros(outputs, int), 8, Format(12, True)),
        Head("h", ("q",)),
    ]
    return Network(tuple(nodes))


@pytest.mark.parametrize(("inputs", "outputs"), [(288, 10), (100, 41)])
def test_deep_weights_lie_in_parts_behind_the_registers_of_blocks(
    inputs: int, outputs: int, tmp_path: Path, quick_simulator: str
) -> None:
    """2,880 and 4,100 weights: three and five beside each other, the last part not full."""
    network, target = deep_network(inputs, outputs), device("ulx3s-25f")
    layers = lower(network)
    chosen = {la.name: folds(la, target)[0] for la in layers}
    one = replace(chosen["q"], pe=1, lanes=1, taps=1, out_lanes=1, weights="parts")
    assert one in folds(layers[1], target)
    chosen["q"] = one
    fifos, cycles = size_fifos(layers, chosen)
    stages = tuple(PlannedLayer(la.name, la.kind, chosen[la.name], 0, Cost()) for la in layers)
    accelerator = elaborate(network, Plan(content_hash(network), target.name, stages, fifos))
    draw = np.random.default_rng(3)
    images = torch.from_numpy(draw.integers(0, 64, (3, 1, 1, inputs)))
    result = simulate(network, accelerator, images, simulator=quick_simulator)
    assert result.ok, result
    assert (result.cycles_latency, result.cycles_interval) == (cycles.latency, cycles.interval)

    netlist = synthesise(accelerator.verilog, TOP, target, cache=Cache(tmp_path))
    cells = json.loads(netlist.path.read_text())["modules"][TOP]["cells"].values()
    blocks = [cell for cell in cells if cell["type"] == "DP16KD"]
    assert len(blocks) == predict(layers[1], one, target).bram
    weights = [c["parameters"] for c in blocks if "INITVAL_00" in c["parameters"]]
    assert {p["REGMODE_A"] for p in weights} | {p["REGMODE_B"] for p in weights} >= {"OUTREG"}
    assert sum("OUTREG" in (p["REGMODE_A"], p["REGMODE_B"]) for p in weights) == len(weights)


@pytest.mark.parametrize("name", BLOCK_CELLS)
def test_bits_that_all_weights_share_take_no_blocks(name: str, tmp_path: Path) -> None:
    """Weights of 288 × 10, all multiples of 8: three of their six bits are always 0."""
    network, target = deep_network(288, 10, unit=8), device(name)
    made = plan(network, target)
    assert made.stages[1].fold.weights != "logic"
    assert made.cost.bram < plan(network, target, exact=False).cost.bram
    taken = blocks(name, elaborate(network, made).verilog, tmp_path, TOP)
    assert taken == made.cost.bram == made.stages[1].cost.bram


def test_busiest_layer_works_in_98_percent_of_the_cycles() -> None:
    network = residual_network()
    for fps in (None, 3000.0):
        made = plan(network, device("ulx3s-25f"), fps=fps)
        layers = lower(network)
        engines = {
            la.name: engine(la, made.fold(la.name))
            for la in layers
            if la.window is not None and not la.blocks
        }
        busiest = max(e.geometry.cycles for e in engines.values())
        slowest = max(s.cycles for s in made.stages)
        assert slowest >= 0.98 * made.cycles_interval
        assert busiest <= made.cycles_interval


def test_shortcut_fifo_that_is_too_small_is_found_stuck() -> None:
    network = residual_network()
    layers = lower(network)
    chosen = {la.name: folds(la, device("ulx3s-25f"))[0] for la in layers}
    built = assemble(layers, chosen, {"a1_q": (0, 2), "a2_q": (0, 2)})
    graph, _ = built.graph()
    with pytest.raises(schedule.Stuck, match="nothing moves after cycle"):
        schedule.run(graph, words_in=built.bytes_in, words_out=built.bytes_out)


def test_same_plan_gives_the_same_verilog() -> None:
    network = residual_network()
    made = plan(network, device("up5k"), fps=1000)
    again = plan(network, device("up5k"), fps=1000)
    assert made.hash == again.hash
    first, second = elaborate(network, made), elaborate(network, again)
    assert first.hash == second.hash
    assert not [line for line in first.verilog.splitlines() if "/" in line and ".py" in line]


def test_more_speed_costs_more_and_less_speed_less() -> None:
    network = residual_network()
    slow = plan(network, device("ulx3s-25f"), fps=5000)
    fast = plan(network, device("ulx3s-25f"))
    assert fast.cycles_interval < slow.cycles_interval <= device("ulx3s-25f").mhz * 1e6 / 5000
    assert slow.cost.lut < fast.cost.lut


def test_budgets_are_kept() -> None:
    network = residual_network()
    none = plan(network, device("ulx3s-25f"), dsps=0)
    assert none.cost.dsp == 0
    small = plan(network, device("ulx3s-25f"), luts=3000)
    assert small.cost.lut <= 3000


def test_plan_survives_the_disk(tmp_path: Path) -> None:
    made = plan(residual_network(), device("up5k"), fps=1000)
    save(made, tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == made


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.replace('"lanes": 1', '"lanes": 2', 1), "was changed after it was made"),
        (lambda t: t[:100], "plan.json: not JSON"),
        (lambda t: t.replace("shiftadd-plan", "other"), "not of format 'shiftadd-plan'; compile"),
        (
            lambda t: t.replace('"version": 2', '"version": 9'),
            "version 9 is not 2, the one",
        ),
        (
            lambda t: t.replace('"stages"', '"pages"'),
            r"\$\.plan: Object missing required",
        ),
    ],
)
def test_damaged_plan_is_refused(
    damage: Callable[[str], str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    save(plan(residual_network(), device("up5k"), fps=1000), path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(PlanError, match=message):
        load(path)


def test_plan_of_another_network_is_refused() -> None:
    made = plan(residual_network(0), device("up5k"), fps=1000)
    with pytest.raises(PlanError, match="the plan was made for network"):
        elaborate(residual_network(1), made)


def test_what_does_not_fit_says_what_and_by_how_much() -> None:
    with pytest.raises(
        PlanError, match=r"needs \d+ LUTs, \d+ more than the 300 that may be used"
    ) as small:
        plan(residual_network(), device("up5k"), luts=300)
    assert "--fps" not in str(small.value)
    with pytest.raises(PlanError, match=r"--fps 1e\+07 at .* needs at least .* at most") as error:
        plan(residual_network(), device("lfe5u-85f"), fps=1e7)
    most = float(str(error.value).rpartition(" ")[2].replace(",", ""))
    assert plan(residual_network(), device("lfe5u-85f"), fps=most).cycles_interval > 0
    with pytest.raises(PlanError, match="must be more than 0 images a second"):
        plan(residual_network(), device("up5k"), fps=-1)


def test_folding_is_checked() -> None:
    layer = next(la for la in lower(residual_network()) if la.name == "c1_q")
    with pytest.raises(ValueError, match="out_lanes 3 must divide 4 PE"):
        engine(layer, replace(Fold(pe=4, lanes=4), out_lanes=3))
