"""Whole networks of the search spaces with random weights, placed and routed.

The cost model is judged by networks that its prices were not fitted to (gen.calibrate.evaluate),
and its final prices are fitted to these, too. `python -m search.studies.heldout BOARD SPACE FIRST
LAST` measures the networks of the seeds FIRST to LAST − 1 and keeps them in
gen/calibrate/network_measurements.json: every second of them is routed, the others only packed,
which takes a tenth of the time and knows no clock. `--again BOARD` measures the kept ones of a
board anew, as they are generated today; `--describe` counts their features anew.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import torch

from gen.calibrate.characterise import NETWORKS, packed
from gen.compile import CACHE
from gen.cost.cost import network_features
from gen.engine.elaborate import elaborate
from gen.engine.module_name import TOP
from gen.flow.build import build
from gen.flow.synth import synthesise
from gen.plan.lower import lower
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.planner.estimate import estimate, measured_sample
from gen.planner.planner import blocks_spared
from gen.support.cache import Cache
from gen.support.devices import Device, device
from gen.support.errors import PlanError
from gen.support.tools import ToolError
from model.errors import ShiftaddError
from model.files import write
from model.net import Net, export
from model.spec import Network
from search.space import space_files
from search.space.space import Candidate, Space

PASSES, IMAGES = 30, 64
"""Batches that set the batch norms, and images of one."""
ROUTED = 2
OCTAVES = 3
"""Shares of a device are drawn from all down to 1 / 2^OCTAVES, evenly by their logarithm."""
FULL = 0.8
"""Share of the LUTs beyond which a network is only packed."""


def random_network(
    space: Space, candidate: Candidate, seed: int, *, passes: int = PASSES
) -> Network:
    """`candidate` with random weights, its batch norms and binary points set by random images."""
    torch.manual_seed(seed)
    net = Net(space.architecture(candidate)).stage("float").train()
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(
        0, 1 << space.input_bits, (IMAGES, *space.shape), generator=draw, dtype=torch.uint8
    )
    with torch.no_grad():
        for _ in range(passes):
            net(images)
    net.eval()
    net.stage("quantised").calibrate(images)
    return export(net)


def drawn(space: Space, seed: int) -> tuple[Candidate, float]:
    """The network of a seed, and the least share of a device that it is planned into."""
    rng = random.Random(f"{space.name}-{seed}")
    return space.sample(rng), 2 ** -rng.uniform(0, OCTAVES)


def planned(network: Network, target: Device, share: float) -> tuple[Plan, float]:
    """The plan within `share` of a device, or the next larger one that fits. Raises PlanError."""
    while True:
        try:
            return estimate(network, target, share=share, exact=True).plan, share
        except PlanError:
            if share >= 1:
                raise
            share = min(1, share * 1.25)


def measure(
    target: Device, space: Space, seed: int, candidate: Candidate, share: float, cache: Path
) -> dict[str, Any]:
    """One network, as kept in gen/calibrate/network_measurements.json. Raises PlanError where it
    does not fit."""
    network = random_network(space, candidate, seed)
    plan, share = planned(network, target, share)
    text = elaborate(network, plan).verilog
    if seed % ROUTED or plan.cost.lut > FULL * target.lut:
        measured: dict[str, float] = dict(
            packed(synthesise(text, TOP, target, cache=Cache(cache)), target)
        )
    else:
        got = build(text, TOP, target, bitstream=False, cache=cache).measured
        measured = {name: getattr(got, name) for name in ("lut", "ff", "dsp", "bram", "fmax_mhz")}
    row = {
        "device": target.name, "space": space.name, "seed": seed, "share": share,
        "candidate": candidate.as_dict(), "raw": measured,
        "folds": {stage.name: list(astuple(stage.fold)) for stage in plan.stages},
        "fifos": {name: list(depths) for name, depths in plan.fifos.items()},
    }  # fmt: skip
    return row | described(row, network)


def described(row: Mapping[str, Any], network: Network | None = None) -> dict[str, Any]:
    """What the fit wants of a kept network: features and figures, and what is counted in it."""
    if network is None:
        space = space_files.load(row["space"])
        network = random_network(space, Candidate.from_dict(row["candidate"]), row["seed"])
    target = device(row["device"])
    folds = {name: Fold(**dict(zip(FIELDS, v, strict=False))) for name, v in row["folds"].items()}
    layers = lower(network)
    fifos = {name: (a, b) for name, (a, b) in row.get("fifos", {}).items()}
    _, exact = network_features(layers, folds, target, fifos)
    spared = sum(blocks_spared(layer, folds[layer.name], target) for layer in layers)
    stages = tuple(PlannedLayer(la.name, la.kind, folds[la.name], 0, Cost()) for la in layers)
    sample = measured_sample(network, Plan("", target.name, stages, fifos), target, row["raw"])
    return {
        "features": {name: n for name, n in sorted(sample.features.items()) if n},
        "counted": {"dsp": exact.dsp, "bram": exact.bram - spared},
        "measured": dict(sample.measured),
    }


FIELDS = tuple(Fold.__dataclass_fields__)
"""In the order of a kept row; rows from before a field was there end sooner."""


def keep(rows: dict[str, list[dict[str, Any]]], path: Path = NETWORKS) -> None:
    """All kept networks by family, one a line."""
    parts = []
    for family, mine in sorted(rows.items()):
        lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in mine)
        parts.append(f"{json.dumps(family)}: [\n{lines}\n]")
    write(path, "{\n" + ",\n".join(parts) + "\n}\n")


def load(path: Path = NETWORKS) -> dict[str, list[dict[str, Any]]]:
    """All kept networks by family."""
    networks: dict[str, list[dict[str, Any]]] = (
        json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    )
    return networks


def describe_again() -> None:
    """Features of all kept networks as they are counted today: nothing is measured."""
    keep({family: [row | described(row) for row in rows] for family, rows in load().items()})


def add(board: str, name: str, first: int, last: int, cache: Path = CACHE) -> None:
    """Measures the networks of the seeds that are not kept yet."""
    target, space = device(board), space_files.load(name)
    have = {_which(row) for row in load().get(target.family, [])}
    for seed in range(first, last):
        if (target.name, space.name, seed) not in have:
            _keep_measured(target, space, seed, *drawn(space, seed), cache)


def again(board: str, cache: Path = CACHE) -> None:
    """Measures the kept networks of a board anew, those with a clock first.

    What was built already comes from `cache`, so one that was cut short goes on.
    """
    target = device(board)
    mine = [row for row in load().get(target.family, []) if row["device"] == target.name]
    for row in sorted(mine, key=lambda row: "fmax_mhz" not in row["raw"]):
        space, candidate = space_files.load(row["space"]), Candidate.from_dict(row["candidate"])
        _keep_measured(target, space, row["seed"], candidate, row["share"], cache)


def _keep_measured(
    target: Device, space: Space, seed: int, candidate: Candidate, share: float, cache: Path
) -> None:
    """In place of what was kept of the network before; as it was, where it cannot be built."""
    try:
        row = measure(target, space, seed, candidate, share, cache)
    except (PlanError, ToolError) as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return
    rows = load()
    mine = rows.setdefault(target.family, [])
    at = next((i for i, one in enumerate(mine) if _which(one) == _which(row)), len(mine))
    mine[at : at + 1] = [row]
    keep(rows)
    print(f"seed {seed}: share {row['share']:.2f}, {row['raw']}", file=sys.stderr)


def _which(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["device"], row["space"], row["seed"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="search.studies.heldout", description=__doc__)
    parser.add_argument("board", nargs="?")
    parser.add_argument("space", nargs="?")
    parser.add_argument("first", nargs="?", type=int, help="seed")
    parser.add_argument("last", nargs="?", type=int, help="seed after the last")
    parser.add_argument("--again", metavar="BOARD", help="measure its kept networks anew")
    parser.add_argument("--describe", action="store_true", help="count features anew")
    given = parser.parse_args()
    try:
        if given.describe:
            describe_again()
        elif given.again:
            again(given.again)
        elif given.last is not None:
            add(given.board, given.space, given.first, given.last)
        else:
            parser.error("BOARD SPACE FIRST LAST, or --again BOARD, or --describe")
    except ShiftaddError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
