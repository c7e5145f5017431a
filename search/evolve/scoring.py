"""Scoring a network: the accuracy that its inherited weights let expect, and its predicted cost.

`evaluate` is a pure function of its Job, so that any process on any machine gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch.nn import functional

from gen.cost.cost import CostModel
from gen.planner.estimate import Estimate, Estimator
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from model import data as datasets
from model.data import Dataset, validation_split
from model.device import device_of
from model.epoch import scores_of, share_right
from model.net import Net, export
from model.spec import Network
from search.evolve.objectives import NO_LIMITS, Genome, Limits, Score, key
from search.evolve.predictor import AS_INHERITED, Inherited, Predictor
from search.evolve.traits import traits
from search.space.space import Candidate, Space
from search.supernet.inherit import RECALIBRATION, inherit
from search.supernet.supernet import SuperNet
from search.supernet.supernet_train import load_supernet

COUNT = 1000
"""Validation images by which an inherited accuracy is judged."""


@dataclass(frozen=True)
class ScoringSetup:
    """All that a score depends on beside the point. supernet: absolute path of its folder.

    data: name or path. cost: None for the committed cost model of the board's family. expects: what
    an inherited accuracy is worth; by default, itself. compute: where networks are trained and
    scored, see model.device.device_of.
    """

    space: Space
    supernet: str
    data: str
    board: str
    limits: Limits = NO_LIMITS
    cost: CostModel | None = None
    expects: Predictor = AS_INHERITED
    compute: str = "cpu"


@dataclass(frozen=True)
class Job:
    """One network to score at some shares. inherited: how it does, where that is known."""

    setting: ScoringSetup
    candidate: Candidate
    shares: tuple[float, ...]
    inherited: Inherited | None = None


def split(data: Dataset) -> Dataset:
    """The part that the search may see: its test part is the validation split.

    A tenth of the training images, or a quarter where they are few: 359 of digits.
    """
    return validation_split(data, 0.1 if len(data.train_labels) >= 10_000 else 0.25)


def evaluate(job: Job) -> list[Score]:
    """Scores of one network at each of the job's shares."""
    setting = job.setting
    data = images(setting.data)
    net = inherit_here(setting, job.candidate)
    network = export(net, data.classes)
    chip = estimator(setting, network)
    scores = [_cost(setting, chip, Genome(job.candidate, share)) for share in job.shares]
    inherited = job.inherited
    if inherited is None and any(score.fits for score in scores):
        inherited = judge(net, data)
    if inherited is None:
        return scores
    expected = setting.expects(traits(net.arch), inherited)
    return [
        replace(score, inherited=inherited, accuracy=expected) if score.fits else score
        for score in scores
    ]


def inherit_here(setting: ScoringSetup, candidate: Candidate) -> Net:
    """The candidate's Net with inherited weights, its batch norms recalibrated.

    From here on the process computes in one thread, as all workers do: sums depend on their number.
    """
    torch.set_num_threads(1)
    weights = supernet(setting.supernet, setting.space, setting.compute)
    data = images(setting.data)
    return inherit(weights, candidate, torch.from_numpy(data.train_images[:RECALIBRATION]))


def judge(net: Net, data: Dataset, count: int = COUNT) -> Inherited:
    """How an inherited net does on the first `count` validation images."""
    labels = torch.from_numpy(data.test_labels[:count])
    scores = scores_of(net.stage("quantised"), torch.from_numpy(data.test_images[:count]))
    return Inherited(share_right(scores, labels), float(functional.cross_entropy(scores, labels)))


def _cost(setting: ScoringSetup, chip: Estimator, genome: Genome) -> Score:
    """The score of a point but for its accuracy."""
    name = key(setting.space, genome)
    score = Score(
        name, name.rsplit("-", 1)[0], genome, None, fits=False, weights=chip.network.weight_count
    )
    try:
        estimate = predicted(setting, chip, genome.share)
    except DoesNotFitError as error:
        return replace(score, why=" ".join(str(error).split()), excess=error.ratio)
    return replace(score, fits=True, predicted=estimate.as_dict())


def estimator(setting: ScoringSetup, network: Network) -> Estimator:
    """Of what `network` costs on the board."""
    return Estimator(network, device(setting.board), setting.cost)


def predicted(
    setting: ScoringSetup, chip: Estimator, share: float, *, exact: bool = False
) -> Estimate:
    """Plan and cost within `share` of the LUTs; multipliers and blocks of RAM stay whole.

    Raises DoesNotFitError.
    """
    luts = int(share * most_luts(setting, chip))
    return chip.estimate(luts=luts, dsps=setting.limits.dsps, exact=exact)


def most_luts(setting: ScoringSetup, chip: Estimator) -> int:
    """LUTs that one network may take, of which shares are parts."""
    return min(chip.device.lut, setting.limits.max_luts or chip.device.lut)


@lru_cache(maxsize=2)
def supernet(folder: str, space: Space, compute: str = "cpu") -> SuperNet:
    """The supernet in `folder`, kept by the process."""
    return load_supernet(Path(folder), space).to(device_of(compute))


@lru_cache(maxsize=2)
def images(name: str) -> Dataset:
    """The split of the data set called `name`, kept by the process."""
    return split(datasets.load(name))
