"""The delivered Verilog under `verilator --lint-only -Wall`: no warning but those waived in it."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from gen.engine.elaborate import Accelerator, elaborate
from gen.engine.header import WAIVED
from gen.plan.lower import lower
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.planner.fold_candidates import folds
from gen.planner.planner import size_fifos
from gen.support.devices import device
from model.store import content_hash
from sim.bench import installed
from tests.support.networks import residual_network


def accelerator(seed: int, top: str, score_lanes: int = 1) -> Accelerator:
    """Residual blocks of all kinds, an overlapping pool and a mean, folded at random."""
    rng, network = random.Random(seed), residual_network(seed)
    layers = lower(network)
    board = device(rng.choice(["lfe5u-25f", "up5k"]))
    chosen = {layer.name: rng.choice(folds(layer, board)) for layer in layers}
    chosen[layers[-1].name] = Fold(lanes=score_lanes, out_lanes=score_lanes)
    fifos, cycles = size_fifos(layers, chosen)
    stages = tuple(PlannedLayer(la.name, la.kind, chosen[la.name], 0, Cost()) for la in layers)
    made = Plan(
        content_hash(network), board.name, stages, fifos,
        cycles_latency=cycles.latency, cycles_interval=cycles.interval,
    )  # fmt: skip
    return elaborate(network, made, top=top)


def warnings(path: Path) -> list[str]:
    """What verilator says of a file whose top module is called as the file is."""
    with installed.verilator_first():
        run = subprocess.run(
            ["verilator", "--lint-only", "-Wall", "--top-module", path.stem, path.name],
            cwd=path.parent, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    said = re.findall(r"^%(?:Warning|Error).*", run.stdout + run.stderr, re.MULTILINE)
    assert run.returncode == 0 or said, run.stderr
    return said


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize(("seed", "score_lanes"), [(0, 1), (1, 3), (2, 1), (3, 1)])
def test_delivered_verilog_has_no_warnings(seed: int, score_lanes: int, tmp_path: Path) -> None:
    if missing := installed.missing("verilator"):
        pytest.skip(missing)
    made = accelerator(seed, "core", score_lanes)
    path = tmp_path / "core.v"
    path.write_text(made.header + made.verilog)
    assert warnings(path) == []


def test_each_waiver_is_needed(tmp_path: Path) -> None:
    if missing := installed.missing("verilator"):
        pytest.skip(missing)
    path = tmp_path / "core.v"
    path.write_text(accelerator(0, "core").verilog)
    kinds = {re.match(r"%Warning-(\w+):", line) for line in warnings(path)}
    assert {kind[1] for kind in kinds if kind} == {name for name, _ in WAIVED}
