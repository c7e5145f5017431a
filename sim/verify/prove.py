"""prove: the hardware of a network against the golden model, level by level, down to the bitstream.

Every result also goes into the evidence of the build: `sim.verify.evidence`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from gen.compile import CACHE, planned
from gen.deploy.examples import check_kind
from gen.recover.recover import needs_plan_without_multipliers
from gen.support.devices import device
from gen.support.progress import SILENT, Progress
from model.data import Dataset, check_count
from model.spec import Network
from sim.bench.simulators import check_waves
from sim.verify import evidence
from sim.verify.levels import at_level, requested_levels
from sim.verify.network import simulate
from sim.verify.simulation_result import SimulationResult


def check(*, board: str, level: str, simulator: str, waves: Path | None) -> None:
    """Raises RequestError or SimulatorError for what can be refused before anything is loaded."""
    requested_levels(level, device(board))
    check_waves(simulator, waves)


def prove(
    network: Network,
    data: Dataset,
    *,
    board: str,
    build: Path | None = None,
    level: str = "rtl",
    images: int | None = None,
    simulator: str = "verilator",
    seed: int = 0,
    stalls: bool = True,
    waves: Path | None = None,
    cache: Path = CACHE,
    progress: Progress = SILENT,
    on_result: Callable[[SimulationResult], None] = lambda result: None,
) -> list[SimulationResult]:
    """Simulates the first `images` test images of `data` (None: all) at `level`, or at `all`.

    build: folder that `gen.compile.compile` wrote, whose plan is taken; otherwise the network is
    planned for `board`, and without multipliers where a bitstream is read back without them.
    simulator, seed, stalls, waves: as for `sim.verify.network.simulate`. on_result: is given each
    result as it comes. Raises ShiftaddError.
    """
    check(board=board, level=level, simulator=simulator, waves=waves)
    check_kind(network, data)
    check_count(data.name, images, len(data.test_images))
    pixels = torch.from_numpy(data.test_images[:images])
    plan, rtl = planned(network, board=board, folder=build)
    target, results = device(plan.device), []
    for name in requested_levels(level, target):
        bare = needs_plan_without_multipliers(target, name)
        if bare and plan.cost.dsp and (build is None or level == "all"):
            plan, rtl = planned(network, board=plan.device, dsps=0)
        with progress.status() as say:
            hardware = at_level(rtl, target, name, cache=cache, progress=say)
        with progress.bar(f"simulate {name}") as tick:
            result = simulate(
                network,
                hardware,
                pixels,
                level=name,
                simulator=simulator,
                seed=seed,
                stalls=stalls,
                waves=waves,
                progress=tick,
            )
        evidence.record(evidence.path(build, plan), plan, target.family, result)
        on_result(result)
        results.append(result)
    return results


def as_dict(level: str, results: Sequence[SimulationResult]) -> dict[str, Any]:
    """For JSON: one result, or with `all` the sums over the levels and each of them."""
    if level != "all":
        return results[0].as_dict()
    total = {name: sum(getattr(r, name) for r in results) for name in ("mismatches", "cycles")}
    one = {"level": level, "images": results[0].images, **total}
    return one | {"levels": [result.as_dict() for result in results]}
