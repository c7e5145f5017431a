"""What a point of the search is worth: inherited accuracy, and predicted cost on a board.

A point (Genome) is a network and the share of the board's LUTs and multipliers that planning may
use: folded into less, one network gives a front of its own. `evaluate` is a pure function of its
Job, so that any process on any machine gives the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from gen.cost import CostModel
from gen.devices import device
from gen.estimate import estimate
from gen.plan import PlanError
from model import data as datasets
from model.data import Dataset, validation_split
from model.net import export
from model.train import evaluate as accuracy_of
from search.hypervolume import row
from search.inherit import RECALIBRATION, inherit
from search.results import OBJECTIVES
from search.space import Candidate, Space
from search.supernet import SuperNet
from search.supernet_train import load_supernet

SHARES = (1.0, 0.5, 0.25, 0.125)
COUNT = 1000
"""Validation images by which an inherited accuracy is judged."""
UNFIT = 10.0
"""Violation of every constraint by a point that cannot be built: worse than missing any limit."""


@dataclass(frozen=True)
class Genome:
    """One point of the search."""

    candidate: Candidate
    share: float


@dataclass(frozen=True)
class Limits:
    """What every network of the front has to meet; None: no such limit."""

    max_latency_us: float | None = None
    max_luts: int | None = None
    dsps: int | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name == "dsps" else 1e-9
            if value is not None and not value >= least:
                raise ValueError(f"--{name.replace('_', '-')} {value}: must be more than 0")

    def excess(self, cost: Mapping[str, Any]) -> dict[str, float]:
        """log10 of how far each limit is missed; negative where it is met."""
        found = {}
        if self.max_latency_us is not None:
            found["max_latency_us"] = math.log10(cost["latency_us"] / self.max_latency_us)
        if self.max_luts is not None:
            found["max_luts"] = math.log10(max(cost["lut"], 1) / self.max_luts)
        if self.fps is not None:
            found["fps"] = math.log10(self.fps / cost["inferences_per_s"])
        if self.dsps is not None:
            found["dsps"] = float(cost["dsp"] - self.dsps)
        return found


NO_LIMITS = Limits()


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


@dataclass(frozen=True)
class Score:
    """A scored point. accuracy: of the inherited network, None where it does not fit."""

    key: str
    id: str
    genome: Genome
    accuracy: float | None
    fits: bool
    why: str = ""
    predicted: Mapping[str, Any] = field(default_factory=dict)

    def objectives(self) -> list[float]:
        """A `search.hypervolume.row`, to minimise."""
        if not self.fits:
            return [0.0, *(UNFIT for _ in OBJECTIVES)]
        return row(self.accuracy or 0.0, self.predicted)

    def violation(self, limits: Limits) -> float:
        """0 for a point that may be on the front, else how far it is from that."""
        if not self.fits:
            return UNFIT
        return sum(max(0.0, over) for over in limits.excess(self.predicted).values())

    def as_row(self) -> dict[str, Any]:
        """A line of candidates.jsonl; `from_row` reads it back."""
        candidate = self.genome.candidate
        return {
            "key": self.key, "id": self.id, "share": self.genome.share,
            "candidate": candidate.as_dict(), "kinds": list(candidate.kinds),
            "accuracy": self.accuracy, "fits": self.fits, "why": self.why,
            "predicted": dict(self.predicted),
        }  # fmt: skip

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> Score:
        genome = Genome(Candidate.from_dict(row["candidate"]), row["share"])
        named = {n: row[n] for n in ("key", "id", "accuracy", "fits", "why", "predicted")}
        return Score(genome=genome, **named)


def key(space: Space, genome: Genome) -> str:
    """The point's name: id of the network and share."""
    return f"{space.id(genome.candidate)}-{genome.share:g}"


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
    if accuracy is None and any(fits for _, fits, _, _ in found):
        tests, labels = data.test_images[:COUNT], data.test_labels[:COUNT]
        accuracy = accuracy_of(
            net.stage("quantised"), torch.from_numpy(tests), torch.from_numpy(labels)
        )
    name = setting.space.id(job.candidate)
    return [
        Score(f"{name}-{g.share:g}", name, g, accuracy if fits else None, fits, why, cost)
        for g, fits, why, cost in found
    ]


def _cost(
    setting: Setting, network: Any, genome: Genome
) -> tuple[Genome, bool, str, dict[str, Any]]:
    """Whether a network fits, why not, and its predicted cost."""
    limits = setting.limits
    try:
        found = estimate(
            network, device(setting.board), share=genome.share, dsps=limits.dsps,
            luts=limits.max_luts, model=setting.cost,
        )  # fmt: skip
    except PlanError as error:
        return genome, False, " ".join(str(error).split()), {}
    return genome, True, "", found.as_dict()


@lru_cache(maxsize=2)
def supernet(folder: str, space: Space) -> SuperNet:
    """The supernet in `folder`, kept by the process."""
    return load_supernet(Path(folder), space)


@lru_cache(maxsize=2)
def images(name: str) -> Dataset:
    """The split of the data set called `name`, kept by the process."""
    return split(datasets.load(name))
