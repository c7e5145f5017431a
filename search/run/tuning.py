"""Fine-tuning: networks fine-tuned from inherited weights, distilled from the largest one.

Networks are trained so before they are built, rung by rung (`search.run.halving`), and probes,
which tell what an inherited accuracy is worth (`search.evolve.predictor`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypedDict

import msgspec
import torch

from model import store
from model.arch import Architecture
from model.checkpoint import NETWORK, final_states
from model.data import Dataset
from model.files import write
from model.net import Net, export
from model.recipe import Recipe, recipe_for
from model.saved import fit_state
from model.store import content_hash
from model.teacher import Teacher
from model.train import TrainResult, train
from search.evolve.predictor import CalibrationSample, Inherited
from search.evolve.scoring import ScoringSetup, images, inherit_here, judge
from search.evolve.traits import traits
from search.results.results import RunError
from search.results.results_files import parsed
from search.space.space import Candidate

FURTHER = "trained.json"
RESEED = 10_007
"""Between the seeds of a rung and of the next."""
WAY_OUT = "remove the folder, and --resume trains it again"


@dataclass(frozen=True)
class Further:
    """What a later rung gave. trained: accuracy on the validation split."""

    trained: Annotated[float, msgspec.Meta(ge=0, le=1)]


@dataclass(frozen=True)
class Training:
    """How networks are trained. teacher: folder of a Network, or "". threads: that one takes.

    At later rungs images come in another order, so that none is shown twice in the same way.
    """

    epochs: int
    seed: int
    teacher: str = ""
    threads: int = 1
    rung: int = 0

    def at(self, rung: int, epochs: int) -> Training:
        """That of a later rung."""
        return replace(self, epochs=epochs, seed=self.seed + RESEED * rung, rung=rung)


@dataclass(frozen=True)
class TuneJob:
    """One network to train out in `folder`, an absolute path. start: folder of the training that
    it goes on from; without one, from inherited weights."""

    setting: ScoringSetup
    training: Training
    candidate: Candidate
    folder: str
    start: str = ""


class TunedForm(TypedDict):
    """What probe.json keeps of a network, on the validation split; older ones hold more."""

    inherited: Inherited
    trained: float


def teach(job: TuneJob) -> str:
    """Trains out a network from which others are distilled; returns its folder."""
    network = Path(job.folder) / NETWORK
    if not network.exists():  # written last
        tune(job.setting, inherit_here(job.setting, job.candidate), job.training, Path(job.folder))
    return str(network)


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


def further(job: TuneJob) -> float:
    """The network's accuracy after a later rung; what is on disk is not done again."""
    path = Path(job.folder) / FURTHER
    if not path.is_file():
        torch.set_num_threads(1)
        net = trained_net(job.setting.space.architecture(job.candidate), Path(job.start))
        tuned = tune(job.setting, net, job.training, Path(job.folder))
        write(path, json.dumps(asdict(Further(tuned.accuracy["integer"]))) + "\n")
    return parsed(path, Further).trained


def tune(setting: ScoringSetup, initial: Net, training: Training, folder: Path) -> TrainResult:
    """Trains a net on, quantised from the first epoch; resumes what was cut short."""
    data = images(setting.data)
    return train(
        initial.arch, data, epochs=training.epochs, seed=training.seed,
        out=folder, resume=True, initial=initial,
        teacher=_teacher(training.teacher) if training.teacher else None,
        recipe=recipe_of(data, initial, training), quiet=True, device=setting.compute,
    )  # fmt: skip


def trained_net(arch: Architecture, folder: Path) -> Net:
    """The Net that the Network in `folder` was made from, to go on from: the last state of its
    training, or the one before the integer stage, if that was sounder. Raises RunError."""
    network = store.load(folder / NETWORK)
    wanted = content_hash(network)
    for state in final_states(folder):
        net = Net(arch)
        fit_state(net, state, source=str(folder), error=RunError, way_out=WAY_OUT)
        if content_hash(export(net, network.classes)) == wanted:
            return net
    raise RunError(f"{folder}: its checkpoint is not that of its network; {WAY_OUT}")


@lru_cache(maxsize=1)
def _teacher(folder: str) -> Teacher:
    """The Network in `folder`; its scores are kept beside it."""
    return Teacher(store.load(folder), Path(folder).parent / "scores")


def recipe_of(data: Dataset, net: Net, training: Training) -> Recipe:
    usual = recipe_for(data, sum(p.numel() for p in net.parameters()))
    return replace(usual, float_until=0.0, threads=training.threads)
