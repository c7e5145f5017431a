"""What a point of the search is worth: inherited accuracy, and predicted cost on a board.

A point (Genome) is a network and the share of the board's LUTs that planning may use: folded into
less, one network gives a front of its own. `evaluate` is a pure function of its Job, so that any
process on any machine gives the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

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
from search.hypervolume import row
from search.inherit import RECALIBRATION, inherit
from search.results import OBJECTIVES
from search.space import Candidate, Space
from search.supernet import SuperNet
from search.supernet_train import load_supernet

SHARES = (1.0, 0.7, 0.5, 0.35, 0.2)
COUNT = 1000
"""Validation images by which an inherited accuracy is judged."""
UNFIT = 10.0
"""Violation of every constraint by a point that cannot be built: worse than missing any limit."""
FLAGS = {
    "max_latency_us": ("--max-latency", "us"), "max_luts": ("--max-luts", ""),
    "dsps": ("--dsps", ""), "fps": ("--fps", ""),
}  # fmt: skip
"""How each limit is given on the command line, and its unit."""


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
                rule = "at least 0" if name == "dsps" else "more than 0"
                raise ValueError(f"{self.said(name)}: must be {rule}")

    def said(self, name: str, value: float | None = None) -> str:
        """A limit as on the command line, with its own value or another one."""
        flag, unit = FLAGS[name]
        return f"{flag} {getattr(self, name) if value is None else value:.12g}{unit}"

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
    """A scored point. accuracy: of the inherited network, None where it does not fit.

    excess: where it does not, what it takes of the scarcest resource over what there is.
    """

    key: str
    id: str
    genome: Genome
    accuracy: float | None
    fits: bool
    why: str = ""
    predicted: Mapping[str, Any] = field(default_factory=dict)
    excess: float = 0.0

    def objectives(self) -> list[float]:
        """A `search.hypervolume.row`, to minimise."""
        if not self.fits:
            return [0.0, *(UNFIT for _ in OBJECTIVES)]
        return row(self.accuracy or 0.0, self.predicted)

    def violation(self, limits: Limits) -> float:
        """0 for a point that may be on the front, else how far it is from that."""
        if not self.fits:
            return UNFIT + math.log10(max(self.excess, 1.0))
        return sum(max(0.0, over) for over in limits.excess(self.predicted).values())

    def as_row(self) -> dict[str, Any]:
        """A line of candidates.jsonl; `from_row` reads it back."""
        candidate = self.genome.candidate
        return {
            "key": self.key, "id": self.id, "share": self.genome.share,
            "candidate": candidate.as_dict(), "kinds": list(candidate.kinds),
            "accuracy": self.accuracy, "fits": self.fits, "why": self.why,
            "predicted": dict(self.predicted), "excess": self.excess,
        }  # fmt: skip

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> Score:
        genome = Genome(Candidate.from_dict(row["candidate"]), row["share"])
        named = {n: row[n] for n in ("key", "id", "accuracy", "fits", "why", "predicted", "excess")}
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
