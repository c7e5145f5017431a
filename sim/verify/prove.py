"""prove: the hardware of a network against the golden model, level by level, down to the bitstream.

Every result also goes into the evidence of the build: `sim.verify.evidence`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from gen.compile import CACHE, planned
from gen.deploy.examples import check_kind
from gen.recover.recover import needs_plan_without_multipliers
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from gen.support.progress import SILENT, Progress
from model.confusion import ConfusionMatrix, confusion
from model.data import Dataset, check_count
from model.spec import Network
from sim.bench.simulators import check_waves
from sim.verify import evidence
from sim.verify.levels import LeftOutLevel, at_level, requested_levels, unavailable
from sim.verify.network import simulate
from sim.verify.simulation_result import SimulationResult


def check(*, board: str, level: str, simulator: str, waves: Path | None) -> None:
    """Raises RequestError or SimulatorError for what can be refused before anything is loaded."""
    requested_levels(level, device(board))
    check_waves(simulator, waves)


@dataclass(frozen=True)
class Verification:
    """A network's hardware against its golden model. results: of each level. left_out: with level
    `all`, those that could not be had. confusion: of what the hardware of the first level answered,
    by the labels of the data; None where answers are missing."""

    level: str
    results: tuple[SimulationResult, ...]
    left_out: tuple[LeftOutLevel, ...] = ()
    confusion: ConfusionMatrix | None = None

    @property
    def ok(self) -> bool:
        """Whether every image is equal at every level."""
        return all(result.ok for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: one result, or with `all` the sums over the levels and each of them."""
        classes: dict[str, Any] = {"accuracy": None, "per_class": None, "confusion": None}
        if (matrix := self.confusion) is not None:
            classes = {
                "accuracy": matrix.accuracy, "per_class": matrix.per_class,
                "confusion": matrix.as_dict(),
            }  # fmt: skip
        first = self.results[0]
        if self.level != "all":
            return first.as_dict() | classes
        sums = {n: sum(getattr(r, n) for r in self.results) for n in ("mismatches", "cycles")}
        levels = {
            "levels": [result.as_dict() for result in self.results],
            "left_out": [asdict(one) for one in self.left_out],
        }
        return {"level": self.level, "images": first.images, **sums} | classes | levels


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
) -> Verification:
    """Simulates the first `images` test images of `data` (None: all) at `level`, or at `all`.

    build: folder that `gen.compile.compile` wrote, whose plan is taken; otherwise the network is
    planned for `board`, and without multipliers where a bitstream is read back without them: with
    `all` that level is left out where the network does not fit so. simulator, seed, stalls, waves:
    as for `sim.verify.network.simulate`. on_result: is given each result as it comes. Raises
    ShiftaddError.
    """
    check(board=board, level=level, simulator=simulator, waves=waves)
    check_kind(network, data)
    check_count(data.name, images, len(data.test_images))
    pixels = torch.from_numpy(data.test_images[:images])
    plan, rtl = planned(network, board=board, folder=build)
    target, results = device(plan.device), list[SimulationResult]()
    left_out = list(unavailable(target)) if level == "all" else []
    for name in requested_levels(level, target):
        bare = needs_plan_without_multipliers(target, name)
        if bare and plan.cost.dsp and (build is None or level == "all"):
            try:
                plan, rtl = planned(network, board=plan.device, dsps=0)
            except DoesNotFitError as error:
                if level != "all":
                    raise
                left_out.append(LeftOutLevel(name, f"without multipliers the network {error}"))
                continue
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
    answers, labels = results[0].answers, data.test_labels[: len(pixels)]
    known = [answer for answer in answers if answer is not None and answer < len(data.classes)]
    matrix = confusion(known, labels, data.classes) if len(known) == len(labels) else None
    return Verification(level, tuple(results), tuple(left_out), matrix)
