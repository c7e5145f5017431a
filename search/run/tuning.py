"""Fine-tuning: networks fine-tuned from inherited weights, distilled from the largest one.

Finalists are trained so before they are built, and probes, which tell what an inherited accuracy is
worth (`search.evolve.predictor`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from model import store
from model.checkpoint import NETWORK
from model.data import Dataset
from model.files import write
from model.net import Net
from model.recipe import Recipe, recipe_for
from model.teacher import Teacher
from model.train import TrainResult, train
from search.evolve.predictor import CalibrationSample, Inherited
from search.evolve.scoring import ScoringSetup, images, inherit_here, judge
from search.evolve.traits import traits
from search.results.results_files import parsed
from search.space.space import Candidate


@dataclass(frozen=True)
class Training:
    """How networks are trained from inherited weights. teacher: folder of a Network, or ""."""

    epochs: int
    seed: int
    teacher: str = ""


@dataclass(frozen=True)
class TuneJob:
    """One network to train out in `folder`, an absolute path."""

    setting: ScoringSetup
    training: Training
    candidate: Candidate
    folder: str


class TunedForm(TypedDict):
    """What probe.json keeps of a network, on the validation split; older ones hold more."""

    inherited: Inherited
    trained: float


def teach(job: TuneJob) -> str:
    """Trains out a network from which others are distilled; returns its folder."""
    net = inherit_here(job.setting, job.candidate)
    tune(job.setting, net, job.training, Path(job.folder))
    return str(Path(job.folder) / NETWORK)


def probe(job: TuneJob) -> CalibrationSample:
    """The network's accuracy before and after training; what is on disk is not done again."""
    path = Path(job.folder) / "probe.json"
    if not path.is_file():
        net = inherit_here(job.setting, job.candidate)
        before = judge(net, images(job.setting.data))
        tuned = tune(job.setting, net, job.training, Path(job.folder))
        made = {"inherited": asdict(before), "trained": tuned.accuracy["integer"]}
        write(path, json.dumps(made) + "\n")
    known = parsed(path, TunedForm)
    arch = job.setting.space.architecture(job.candidate)
    return CalibrationSample(traits(arch), known["inherited"], known["trained"])


def tune(setting: ScoringSetup, inherited: Net, training: Training, folder: Path) -> TrainResult:
    """Trains an inherited net, quantised from the first epoch; resumes what was cut short."""
    data = images(setting.data)
    return train(
        inherited.arch, data, epochs=training.epochs, seed=training.seed,
        out=folder, resume=True, initial=inherited,
        teacher=_teacher(training.teacher) if training.teacher else None,
        recipe=_recipe(data, inherited), quiet=True,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _teacher(folder: str) -> Teacher:
    """The Network in `folder`; its scores are kept beside it."""
    return Teacher(store.load(folder), Path(folder).parent / "scores")


def _recipe(data: Dataset, net: Net) -> Recipe:
    usual = recipe_for(data, sum(p.numel() for p in net.parameters()))
    return replace(usual, float_until=0.0, threads=1)  # as workers compute: there are many
