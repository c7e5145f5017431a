"""Speeds of this machine for one search, measured while all its workers are busy."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import torch

from gen.compile import CACHE
from gen.flow.expected import expected_seconds, runs
from gen.support.devices import device
from model.data import Dataset
from model.net import export
from model.recipe import THREADS
from model.teacher import Teacher
from model.train import train
from search.evolve.objectives import SHARES
from search.evolve.predictor import probes
from search.evolve.scoring import Job, ScoringSetup, evaluate, images, inherit_here
from search.run.executor import Pool
from search.run.plan import Speeds
from search.run.tuning import Training, recipe_of
from search.space.space import Candidate
from search.supernet.sandwich import teacher

BATCHES, EPOCHS = 8, 2
"""Of which a training consists that is timed."""
TAUGHT = 256
"""Images whose scores by the teacher are timed."""
SYNTHESISED, SIMULATED = 0.5, 30.0
"""Of the seconds of place and route, what synthesis takes; and seconds of a proof, mostly
Verilator's compiling."""
FILLED = 0.5
"""Part of the board that finalists take on average: they are planned for SHARES of it."""


@dataclass(frozen=True)
class SpeedJob:
    """A network to time. threads: of its training."""

    setting: ScoringSetup
    candidate: Candidate
    threads: int = 1


@dataclass(frozen=True)
class Timed:
    """Seconds of scoring a network, of an epoch of its training, and of its scores as a teacher of
    as many images. busy: how many times as long it took as the processor worked on it."""

    score: float
    epoch: float
    told: float
    busy: float


def measure(pool: Pool, setting: ScoringSetup, seed: int) -> Speeds:
    """Times a few networks of the space, from small to large, and its largest one."""
    workers = pool.size
    drawn = probes(setting.space, 2 * max(2, workers), seed)
    jobs = [SpeedJob(setting, one) for one in drawn]
    timed = [one for _, one in pool.run(clock, jobs)]
    largest = SpeedJob(setting, teacher(setting.space), THREADS)
    ((_, alone),) = pool.run(clock, [largest])
    return Speeds(
        score=mean(one.score for one in timed) / workers,
        epoch=mean(one.epoch for one in timed) / workers,
        teacher=alone.epoch,
        told=alone.told,
        build=_build_seconds(setting, mean(one.busy for one in timed)) / workers,
    )


def clock(job: SpeedJob) -> Timed:
    """In a worker. What is read from files is read before."""
    data = images(job.setting.data)
    scoring = Job(job.setting, job.candidate, SHARES)
    evaluate(scoring)
    began = time.monotonic()
    at_all, worked = began, time.process_time()
    evaluate(scoring)
    scored = time.monotonic() - began
    net = inherit_here(job.setting, job.candidate)
    recipe = recipe_of(data, net, Training(EPOCHS, 0, threads=job.threads))
    few = _part(data, min(1.0, BATCHES * recipe.batch / len(data.train_labels)))
    made = train(
        net.arch, few, epochs=EPOCHS, initial=net, recipe=recipe, quiet=True,
        device=job.setting.compute,
    )  # fmt: skip
    times = len(data.train_labels) / len(few.train_labels)
    shown = torch.from_numpy(data.train_images[:TAUGHT]).to(net.device)
    master = Teacher(export(net, data.classes))
    began = time.monotonic()
    master.scores(shown).cpu()  # which waits for a GPU
    ended, worked = time.monotonic(), time.process_time() - worked
    told = (ended - began) * len(data.train_labels) / len(shown)
    busy = max(1.0, (ended - at_all) / worked)
    return Timed(scored, made.seconds / EPOCHS * times, told, busy)


def _part(data: Dataset, share: float) -> Dataset:
    """The first images of both parts, so that an epoch takes `share` of its time."""
    train_count, test_count = (
        max(1, math.ceil(share * len(labels))) for labels in (data.train_labels, data.test_labels)
    )
    return replace(
        data,
        train_images=data.train_images[:train_count], train_labels=data.train_labels[:train_count],
        test_images=data.test_images[:test_count], test_labels=data.test_labels[:test_count],
    )  # fmt: skip


def build_times(setting: ScoringSetup, luts: Sequence[float]) -> float:
    """How many times as long finalists of so many LUTs take as those that `measure` thinks of."""
    family = device(setting.board).family
    usual, *these = (
        (1 + SYNTHESISED) * expected_seconds(family, size) + SIMULATED
        for size in (_usual_size(setting), *map(int, luts))
    )
    return mean(these) / usual if these else 1.0


def _build_seconds(setting: ScoringSetup, busy: float) -> float:
    """Of a finalist: place and route as it took here, or as it takes on two cores that are `busy`
    times as slow; synthesis and the proof."""
    family, size = device(setting.board).family, _usual_size(setting)
    known = expected_seconds(family, size)
    placed = expected_seconds(family, size, runs(Path(CACHE), family))
    if placed == known:  # nothing of about the size was placed here
        placed = busy * known
    return (1 + SYNTHESISED) * placed + SIMULATED * busy


def _usual_size(setting: ScoringSetup) -> int:
    """LUTs of a finalist, before there are any."""
    has = device(setting.board).lut
    return int(FILLED * min(has, setting.limits.max_luts or has))
