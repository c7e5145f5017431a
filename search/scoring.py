"""Scoring a network: accuracy with inherited weights, and predicted cost on a board.

`evaluate` is a pure function of its Job, so that any process on any machine gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from gen.cost import CostModel
from gen.devices import device
from gen.estimate import Estimate, estimate
from gen.plan import DoesNotFit
from model import data as datasets
from model.data import Dataset, validation_split
from model.net import export
from model.spec import Network
from model.train import evaluate as accuracy_of
from search.inherit import RECALIBRATION, inherit
from search.objectives import NO_LIMITS, Genome, Limits, Score, key
from search.space import Candidate, Space
from search.supernet import SuperNet
from search.supernet_train import load_supernet

COUNT = 1000
"""Validation images by which an inherited accuracy is judged."""


@dataclass(frozen=True)
class Setting:
    """All that a score depends on beside the point. supernet: absolute path of its folder.

    data: name or path. cost: None for the committed cost model of the board's family.
    """

    space: Space
    supernet: str
    data: str
    board: str
    limits: Limits = NO_LIMITS
    cost: CostModel | None = None


@dataclass(frozen=True)
class Job:
    """One network to score at some shares. accuracy: as inherited, where it is known."""

    setting: Setting
    candidate: Candidate
    shares: tuple[float, ...]
    accuracy: float | None = None


def split(data: Dataset) -> Dataset:
    """The part that the search may see: its test part is the validation split.

    A tenth of the training images, or a quarter where they are few: 359 of digits.
    """
    return validation_split(data, 0.1 if len(data.train_labels) >= 10_000 else 0.25)


def evaluate(job: Job) -> list[Score]:
    """Scores of one network at each of the job's shares."""
    torch.set_num_threads(1)
    setting = job.setting
    weights, data = supernet(setting.supernet, setting.space), images(setting.data)
    net = inherit(weights, job.candidate, torch.from_numpy(data.train_images[:RECALIBRATION]))
    network = export(net, data.classes)
    found = [_cost(setting, network, Genome(job.candidate, share)) for share in job.shares]
    accuracy = job.accuracy
    if accuracy is None and any(score.fits for score in found):
        tests, labels = data.test_images[:COUNT], data.test_labels[:COUNT]
        net.stage("quantised")
        accuracy = accuracy_of(net, torch.from_numpy(tests), torch.from_numpy(labels))
    return [replace(score, accuracy=accuracy if score.fits else None) for score in found]


def _cost(setting: Setting, network: Network, genome: Genome) -> Score:
    """The score of a point but for its accuracy."""
    name = key(setting.space, genome)
    score = Score(name, name.rsplit("-", 1)[0], genome, None, fits=False)
    try:
        found = predicted(setting, network, genome.share)
    except DoesNotFit as error:
        return replace(score, why=" ".join(str(error).split()), excess=error.ratio)
    return replace(score, fits=True, predicted=found.as_dict())


def predicted(setting: Setting, network: Network, share: float, *, exact: bool = False) -> Estimate:
    """Plan and cost within `share` of the LUTs; multipliers and blocks of RAM stay whole.

    Raises DoesNotFit.
    """
    chip, limits = device(setting.board), setting.limits
    luts = int(share * min(chip.lut, limits.max_luts or chip.lut))
    return estimate(network, chip, luts=luts, dsps=limits.dsps, model=setting.cost, exact=exact)


@lru_cache(maxsize=2)
def supernet(folder: str, space: Space) -> SuperNet:
    """The supernet in `folder`, kept by the process."""
    return load_supernet(Path(folder), space)


@lru_cache(maxsize=2)
def images(name: str) -> Dataset:
    """The split of the data set called `name`, kept by the process."""
    return split(datasets.load(name))
