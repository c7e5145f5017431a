"""Candidates a second that two worker processes of the search score, for 28×28 images.

By cost: a random network of the space is planned at every share of the board and its costs are
predicted; a candidate is the network at one share. Batch norms are recalibrated on a few images,
since no accuracy is asked for. By inherited accuracy: all that the search does for a network
(`search.evolve.scoring.evaluate`), counted once for all its shares. Rates are those of the
processor time that the workers take, which other work on the machine does not change much; the rate
by the clock stands beside it. Alone: python -m tests.bench.search
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from gen.support.errors import DoesNotFitError
from model import data
from model.data import DataError
from model.net import export
from search.evolve import scoring
from search.evolve.objectives import SHARES
from search.evolve.scoring import Job, ScoringSetup
from search.run.executor import Pool
from search.space import space_files
from search.supernet.inherit import inherit
from search.supernet.supernet_train import train_supernet

DATA = "fashion-mnist"
BOARDS = ("ulx3s-25f", "hx8k")
WORKERS = 2
BY_COST, BY_ACCURACY = 20, 2
"""Candidates a second that are asked for."""
FEW = 64
"""Images for batch norms where only the cost is asked for."""
PARTS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Spent:
    """Processor seconds of a job, and whether its network fits."""

    seconds: float
    fits: bool
    candidates: int = 1


@dataclass(frozen=True)
class Rate:
    """Candidates a second; cpu: by the processor time of the workers, clock: by the wall."""

    cpu: float
    clock: float
    fits: float

    def __str__(self) -> str:
        return f"{self.cpu:.1f}/s ({self.clock:.1f}/s by the clock, {self.fits:.0%} fit)"


def cost(job: Job) -> Spent:
    """Weights inherited, folded, priced."""
    torch.set_num_threads(1)
    began = time.process_time()
    setting, images = job.setting, scoring.images(job.setting.data)
    few = torch.from_numpy(images.train_images[:FEW])
    net = inherit(scoring.supernet(setting.supernet, setting.space), job.candidate, few)
    chip, fits = scoring.estimator(setting, export(net, images.classes)), False
    for share in job.shares:
        with suppress(DoesNotFitError):
            scoring.predicted(setting, chip, share)
            fits = True
    return Spent(time.process_time() - began, fits, len(job.shares))


def accuracy(job: Job) -> Spent:
    """All of a score: recalibrated on 512 images, judged by 1000 where it fits."""
    began = time.process_time()
    scores = scoring.evaluate(job)
    return Spent(time.process_time() - began, any(score.fits for score in scores))


def rate(work: Callable[[Job], Spent], jobs: Sequence[Job]) -> Rate:
    """Of the jobs after the first few, in which workers start and load what they need."""
    warm = 2 * WORKERS
    with Pool(WORKERS) as pool:
        list(pool.run(work, jobs[:warm]))
        began = time.perf_counter()
        spent = [one for _, one in pool.run(work, jobs[warm:])]
        seconds = time.perf_counter() - began
    busy = sum(one.seconds for one in spent) / WORKERS
    fits = sum(one.fits for one in spent) / len(spent)
    count = sum(one.candidates for one in spent)
    return Rate(count / busy, count / seconds, fits)


def scored(folder: Path, candidates: int = 100) -> Iterator[tuple[str, str, str, bool]]:
    """What, its rate, its limit, and whether it is met; the supernet is made in `folder`.

    It is trained for a step or two only: speed does not depend on weights. Raises DataError.
    """
    whole = data.load(DATA)
    space = space_files.for_data(whole)
    parts = {name: getattr(whole, name)[:FEW] for name in PARTS}
    train_supernet(space, replace(whole, **parts), epochs=1, seed=0, out=folder, quiet=True)
    for board in BOARDS:
        rng = random.Random(1)
        setting = ScoringSetup(space, str(folder), DATA, board)
        jobs = [Job(setting, space.sample(rng), SHARES) for _ in range(candidates)]
        for what, work, part, least in (
            ("cost", cost, jobs, BY_COST),
            ("inherited accuracy", accuracy, jobs[: candidates // 2], BY_ACCURACY),
        ):
            speed = rate(work, part)
            yield f"{board}, by {what}", str(speed), f"≥ {least}/s", speed.cpu >= least


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """As `scored`; one row that says so where the data set is missing."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield from scored(Path(folder))
        except DataError as error:
            yield f"{DATA}: {error}", "not measured", "", True


def main() -> int:
    held = True
    for what, value, limit, ok in rows():
        print(f"{what}: {value} ({limit})", flush=True)
        held &= ok
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
