"""Predicted energy against that of simulated activity, network by network: what the fit stands on.

`python -m search.studies.energy` simulates the networks of BOARDS that are not kept yet, fits
gen.cost.energy to them and prints how far the two part; what was simulated stays in
gen/cost/energy_fit.json, so a run that was cut short goes on. `--again` simulates the kept ones
anew, as they are generated today (what has not changed comes from the cache of built steps);
`--fit` only fits. Networks are those of the 8×8 search space, on test images of digits, in LUT
budgets of all sizes that simulate in a minute or two: of each seed one with random weights and one
trained for a few epochs, whose activations and weights toggle otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gen.calibrate.evaluate import kendall
from gen.cost.cost import CostModel
from gen.cost.energy import FEATURES, FIT, features
from gen.cost.energy_45nm import energy as energy_45nm
from gen.engine.elaborate import elaborate
from gen.plan.plan import Plan
from gen.planner.planner import Planner
from gen.support.devices import Device, device
from gen.support.errors import PlanError
from gen.support.tools import ToolError
from model import data as datasets
from model.files import write
from model.recipe import Recipe
from model.spec import Network
from model.train import train
from search.space import space_files
from search.studies.heldout import drawn, random_network
from sim.bench.runners import SimulatorError
from sim.energy.reference import activity_energy

BOARDS = {"up5k": 14, "ulx3s-25f": 6, "tang-nano-9k": 4}
"""Networks of each board, one a family."""
SPACE, DATA, IMAGES, EPOCHS = "8x8", "digits", 4, 2
"""EPOCHS: of a trained network."""
LEAST, MOST, WIDER = 600, 2500, 1.4
"""LUTs of a budget, drawn evenly by their logarithm; and by how much more is tried where a network
does not fit."""
PULL = 0.05
"""Weight of the expected prices against a network, as in gen.cost.fit."""
START = dict.fromkeys(FEATURES, 2.0) | {"lut": 0.03, "term_mult": 1.0, "dsp": 10.0}
"""pJ expected of each feature, up to a scale."""
PARTS = ("logic", "registers", "memories", "multipliers")
"""Of the activity."""
Row = dict[str, Any]


def planned(network: Network, target: Device, seed: int) -> Plan:
    """The fastest plan within the budget of a seed, or in the next larger one that fits."""
    rng, planner = random.Random(f"energy-{seed}"), Planner(network, target)
    luts = LEAST * (MOST / LEAST) ** rng.random()
    while True:
        try:
            return planner.plan(luts=min(luts, target.lut), exact=True)
        except PlanError:
            if luts >= target.lut:
                raise
            luts *= WIDER


def network_of(seed: int, trained: bool) -> Network:
    """The network of a seed, always the same on one machine."""
    space = space_files.load(SPACE)
    candidate = drawn(space, seed)[0]
    if not trained:
        return random_network(space, candidate, seed)
    arch, data = space.architecture(candidate), datasets.load(DATA)
    recipe = Recipe(threads=1)
    return train(arch, data, epochs=EPOCHS, seed=seed, recipe=recipe, quiet=True).network


def simulate(target: Device, seed: int, trained: bool) -> Row:
    """The activity of one network, as kept. Raises PlanError where it does not fit."""
    from gen.compile import CACHE

    network = network_of(seed, trained)
    plan = planned(network, target, seed)
    mhz = CostModel.of(target).fmax_mhz(plan.stages, plan.cost.lut, target)
    images = torch.from_numpy(datasets.load(DATA).test_images[:IMAGES])
    made = activity_energy(network, plan, elaborate(network, plan), images, mhz, cache=CACHE)
    energy = made.energy
    return {
        "device": target.name, "seed": seed, "trained": trained,
        "lut": round(plan.cost.lut), "mhz": round(mhz, 2), "interval": plan.cycles_interval,
        "features": {name: round(n) for name, n in features(network, plan).items()},
        "static_nj": round(energy.static, 3), "clock_nj": round(energy.clock, 3),
        "activity_nj": round(energy.activity, 3),
        "parts_nj": {name: round(nj, 1) for name, nj in energy.as_dict().items() if name in PARTS},
        "energy_45nm_nj": round(energy_45nm(network, plan).total, 3),
    }  # fmt: skip


def fit(rows: Sequence[Row]) -> dict[str, float]:
    """pJ of one of each feature: least relative error of the activity, near START
    times the one factor that suits all rows best."""
    import numpy as np
    from scipy.optimize import nnls  # slow to import

    matrix = np.array([[row["features"][name] for name in FEATURES] for row in rows], dtype=float)
    real = np.array([row["activity_nj"] * 1e3 for row in rows])
    near = np.array([START[name] for name in FEATURES])
    near = near * float(np.median(real / (matrix @ near)))
    pulls = np.diag(PULL**0.5 / near)
    price, _ = nnls(
        np.vstack([matrix / real[:, None], pulls]),
        np.concatenate([np.ones(len(rows)), pulls @ near]),
    )
    return {name: round(float(p), 4) for name, p in zip(FEATURES, price, strict=True)}


def predicted(row: Row, prices: Mapping[str, float]) -> float:
    """nJ of a kept network by such prices."""
    work = sum(prices[name] * count for name, count in row["features"].items()) / 1e3
    return float(row["static_nj"] + row["clock_nj"] + work)


def total(row: Row) -> float:
    """nJ of a kept network by its simulated activity."""
    return float(row["static_nj"] + row["clock_nj"] + row["activity_nj"])


def held_out(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Predicted and simulated nJ of each network, by prices fitted to the others."""
    pairs = []
    for i, row in enumerate(rows):
        pairs.append((predicted(row, fit([*rows[:i], *rows[i + 1 :]])), total(row)))
    return pairs


def figures(rows: Sequence[Row]) -> Row:
    """How far prediction and simulation part on networks that the fit has not seen, in percent of
    all energy; and how the table for 45 nm ranks them. moved: networks of the least half by the one
    energy that are not by the other."""
    pairs = held_out(rows)
    real, table = [b for _, b in pairs], [row["energy_45nm_nj"] for row in rows]
    half = len(rows) // 2

    def least(values: Sequence[float]) -> set[int]:
        return set(sorted(range(len(values)), key=values.__getitem__)[:half])

    return {
        "networks": len(rows), "trained": sum(row["trained"] for row in rows),
        "error": round(sum(abs(a - b) / b for a, b in pairs) / len(pairs) * 100, 1),
        "largest": round(max(abs(a - b) / b for a, b in pairs) * 100, 1),
        "kendall": round(kendall(pairs), 2),
        "kendall_45nm": round(kendall(list(zip(table, real, strict=True))), 2),
        "moved": len(least(real) - least(table)), "half": half,
        "activity": round(100 * sum(r["activity_nj"] / total(r) for r in rows) / len(rows)),
        "more_than_45nm": round(sum(a / b for a, b in zip(real, table, strict=True)) / len(rows)),
    }  # fmt: skip


def load() -> dict[str, Row]:
    """What is kept, by family: prices, figures and samples."""
    kept: dict[str, Row] = json.loads(FIT.read_text(encoding="utf-8")) if FIT.exists() else {}
    return kept


def keep(kept: Mapping[str, Row]) -> None:
    """All that is kept, a network a line."""
    parts = []
    for family, one in sorted(kept.items()):
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in one["samples"])
        head = ", ".join(f"{json.dumps(k)}: {json.dumps(one[k])}" for k in ("prices", "figures"))
        parts.append(f'{json.dumps(family)}: {{{head}, "samples": [\n{rows}\n]}}')
    write(FIT, "{\n" + ",\n".join(parts) + "\n}\n")


def refit() -> None:
    """Prices and figures of all families anew, from what is kept."""
    kept = load()
    for one in kept.values():
        one["prices"], one["figures"] = fit(one["samples"]), {}
        if len(one["samples"]) > 2:
            one["figures"] = figures(one["samples"])
    keep(kept)


def measure(board: str, count: int, *, again: bool = False) -> None:
    """Simulates the first `count` networks of a board that can be built, but for those kept: of
    each seed the random one, then the trained one."""
    target, done = device(board), 0
    for number in itertools.count():
        if done == count:
            return
        seed, trained = number // 2, number % 2 == 1
        if again or (seed, trained) not in _places(load(), target):
            try:
                row = simulate(target, seed, trained)
            except (PlanError, ToolError, SimulatorError) as error:
                print(f"{board} seed {seed}: {error}", file=sys.stderr)
                continue
            _keep_row(target, row)
            print(f"{board} seed {seed}: {total(row):.1f} nJ", file=sys.stderr)
        done += 1


def _places(kept: Mapping[str, Row], target: Device) -> dict[tuple[int, bool], int]:
    """Places of the kept networks of a device."""
    rows = kept.get(target.family, {"samples": []})["samples"]
    return {
        (row["seed"], row["trained"]): i
        for i, row in enumerate(rows)
        if row["device"] == target.name
    }


def _keep_row(target: Device, row: Row) -> None:
    """In place of what was kept of the network before, beside all that is kept by now."""
    kept = load()
    family = kept.setdefault(target.family, {"prices": {}, "figures": {}, "samples": []})
    at = _places(kept, target).get((row["seed"], row["trained"]), len(family["samples"]))
    family["samples"][at : at + 1] = [row]
    keep(kept)


def main() -> None:
    parser = argparse.ArgumentParser(prog="search.studies.energy", description=__doc__)
    parser.add_argument("boards", nargs="*", help=f"default {', '.join(BOARDS)}")
    parser.add_argument("--again", action="store_true", help="simulate the kept networks anew")
    parser.add_argument("--fit", action="store_true", help="only fit, to what is kept")
    given = parser.parse_args()
    for board in () if given.fit else given.boards or BOARDS:
        measure(board, BOARDS.get(board, 6), again=given.again)
    refit()
    for family, one in load().items():
        print(family, json.dumps(one["figures"]), json.dumps(one["prices"]))


if __name__ == "__main__":
    main()
