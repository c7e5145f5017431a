"""energy beside a proof: `shiftadd simulate NET --level netlist --energy`."""

from __future__ import annotations

from pathlib import Path

import torch

from gen.compile import CACHE, REPORT, planned
from gen.cost.cost import CostModel
from gen.report import load
from gen.support.devices import device
from gen.support.progress import SILENT, Progress
from model.data import Dataset
from model.errors import RequestError
from model.spec import Network
from sim.energy.reference import ActivityEnergy, activity_energy


def check(level: str) -> None:
    """Raises RequestError where energy cannot be counted at this level."""
    if level not in ("netlist", "all"):
        raise RequestError(f"--energy with --level {level}: must be netlist, whose cells it counts")


def spent_energy(
    network: Network,
    data: Dataset,
    *,
    board: str,
    build: Path | None = None,
    cache: Path = CACHE,
    progress: Progress = SILENT,
) -> ActivityEnergy:
    """Energy of a test image, back to back: at the clock that was measured where `build` is the
    folder that gen.compile wrote, otherwise at the predicted one. Raises ShiftaddError.
    """
    plan, accelerator = planned(network, board=board, folder=build)
    target = device(plan.device)
    measured = load(build / REPORT).measured if build else None
    mhz = measured.fmax_mhz if measured else None
    mhz = mhz or CostModel.of(target).fmax_mhz(plan.stages, plan.cost.lut, target)
    images = torch.from_numpy(data.test_images)
    with progress.status() as say:
        return activity_energy(network, plan, accelerator, images, mhz, cache=cache, progress=say)
