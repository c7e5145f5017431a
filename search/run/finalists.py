"""Finalists: points of the front of the trained networks, built, measured and proven.

Everything about one lands in its folder of the run directory; finalist.json comes last, so that a
folder without it is one that was cut short, and goes on from the build cache.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from gen.compile import REPORT
from gen.compile import compile as compile_network
from gen.deploy.examples import golden_scores
from gen.engine.elaborate import Accelerator
from gen.planner.estimate import Estimate, Estimator
from gen.report import Report, energies, with_cycles
from gen.report import save as save_report
from gen.support.errors import DoesNotFitError, PlanError
from gen.support.promises import missed
from gen.support.tools import ToolError
from model import data as datasets
from model import store
from model.checkpoint import ARCHITECTURE, LOG, NETWORK
from model.confusion import confusion
from model.data import Dataset
from model.files import copy, write
from model.spec import Network
from model.train import about_data
from search.evolve.objectives import Score
from search.evolve.scoring import ScoringSetup, estimator, most_luts, predicted
from search.results.results_files import built
from sim.bench.installed import missing
from sim.bench.runners import SimulatorError
from sim.verify.network import simulate
from sim.verify.simulation_result import SimulationResult

FINALIST = "finalist.json"
PROVEN = 20
"""Test images that each finalist is simulated with, under random stalls."""
FITTINGS, SPARE, LESS = 3, 0.98, 0.9
"""Builds of a finalist at most, where it takes more than --max-luts; and what the next one, or a
wider share, is planned for, in parts of what was missed; or, where nothing could be placed, of what
was planned."""
QUICK = 600
"""Cycles an image up to which Icarus, where it is installed, is done before Verilator has begun:
15,000 cycles of a UP5K network in 19 s, against a minute of compiling on the same busy machine."""


@dataclass(frozen=True)
class BuildJob:
    """One network, built for each of `points`, which differ in their share of the board.

    folder: of the run. cache: of built steps. trained: of the network's latest training, whose
    accuracy on the validation split is `validation`. All are absolute paths.
    """

    setting: ScoringSetup
    points: tuple[Score, ...]
    round: int
    folder: str
    cache: str
    trained: str
    validation: float


def build(job: BuildJob) -> list[dict[str, Any]]:
    """Builds and proves the finalists of a job; those that are there are left as they are.

    A finalist that cannot be built is kept with its reason in `error`.
    """
    folders = [Path(job.folder) / "finalists" / point.key for point in job.points]
    if not all((folder / FINALIST).is_file() for folder in folders):
        scratch = Path(job.trained)
        network = store.load(scratch / NETWORK)
        data = datasets.load(job.setting.data)
        network.about.update(about_data(data))  # the whole, of which training saw a part
        matrix = confusion(golden_scores(network, data.test_images), data.test_labels, data.classes)
        for point, folder in zip(job.points, folders, strict=True):
            if (folder / FINALIST).is_file():
                continue
            _adopt(network, scratch, folder)
            accuracy = {
                "inherited": point.inherited.accuracy if point.inherited else None,
                "expected": point.accuracy, "validation": job.validation, "test": matrix.accuracy,
            }  # fmt: skip
            row = _head(job, point, network, accuracy) | {"confusion": matrix.as_dict()}
            row |= _measure(job, point, network, folder, data)
            write(folder / FINALIST, json.dumps(row, indent=1) + "\n")
    return [built(folder / FINALIST) for folder in folders]


def _adopt(network: Network, source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ARCHITECTURE, LOG):
        copy(source / name, folder / name)
    store.save(network, folder / NETWORK)


def _head(
    job: BuildJob, point: Score, network: Network, accuracy: Mapping[str, float | None]
) -> dict[str, Any]:
    candidate = point.genome.candidate
    return {
        "key": point.key, "id": point.id, "share": point.genome.share, "round": job.round,
        "candidate": candidate.as_dict(), "kinds": list(candidate.kinds),
        "weights": network.weight_count,
        "accuracy": dict(accuracy), "searched": dict(point.predicted), "on_front": False,
        "inherited": asdict(point.inherited) if point.inherited else None,
    }  # fmt: skip


def _measure(
    job: BuildJob, point: Score, network: Network, folder: Path, data: Dataset
) -> dict[str, Any]:
    """What the trained network is predicted and measured to cost, the proof, and what went wrong.

    `predicted` is that of the plan that is built; `searched`, what the search went by.
    """
    setting = job.setting
    row: dict[str, Any] = {
        "predicted": {}, "measured": {}, "rtl": {"images": 0, "mismatches": 0}, "error": "",
        "promises": [],
    }  # fmt: skip
    try:
        guess, report, accelerator = _fitted(job, network, point.genome.share, folder)
        row["predicted"] = guess.as_dict()
        proof = simulate(
            network, accelerator, torch.from_numpy(data.test_images[:PROVEN]),
            simulator=_simulator(guess.cycles_interval),
        )  # fmt: skip
        report = with_cycles(report, proof.cycles_latency, proof.cycles_interval)
        save_report(report, folder / REPORT)
        row["rtl"] = {"images": proof.images, "mismatches": proof.mismatches}
        assert report.measured is not None
        row["measured"] = asdict(report.measured) | energies(
            network, guess.plan, report.measured.fmax_mhz or 0.0
        )
        held = setting.limits.held(row["measured"])
        row["promises"] = [promise.as_dict() for promise in held]
        row["error"] = _wrong(proof) or "; ".join(map(str, missed(held)))
    except (PlanError, ToolError, SimulatorError) as error:
        row["error"] = " ".join(str(error).split())
    return row


def _fitted(
    job: BuildJob, network: Network, share: float, folder: Path
) -> tuple[Estimate, Report, Accelerator]:
    """Builds within `share` of the board; within less where that takes more than --max-luts, or
    cannot be placed and routed, as what fills a small device may."""
    chip = estimator(job.setting, network)
    most = most_luts(job.setting, chip)
    for left in reversed(range(FITTINGS)):
        guess = _planned(job.setting, chip, share)
        try:
            report, accelerator = compile_network(
                network, board=job.setting.board, out=folder, plan=guess.plan, cache=Path(job.cache)
            )
        except (DoesNotFitError, ToolError):
            if not left:
                raise
            share = LESS * min(share, guess.lut / most)
            continue
        took = report.measured.lut if report.measured else None
        if not took or took <= most:
            break
        share = SPARE * min(share, guess.lut / most) * most / took
    return guess, report, accelerator


def _planned(setting: ScoringSetup, chip: Estimator, share: float) -> Estimate:
    """Within `share`, or in as much more as the trained network takes, folded as far as it can be:
    its factors and offsets are not those that the search saw. Raises DoesNotFitError."""
    try:
        return predicted(setting, chip, share, exact=True)
    except DoesNotFitError as error:
        wider = share * error.ratio / SPARE
        if wider > 1:
            raise
    return predicted(setting, chip, wider, exact=True)


def _simulator(interval: int) -> str:
    return "icarus" if interval <= QUICK and not missing("icarus") else "verilator"


def _wrong(proof: SimulationResult) -> str:
    if proof.ok:
        return ""
    return (
        f"RTL differs from the golden model in {proof.mismatches} of {proof.images} images; "
        f"stopped at {proof.stopped}, first at {proof.first_mismatch}"
    )
