"""Made-up scores and a pool in this process, where a test is about what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from search.evolve.objectives import Genome, Score
from search.evolve.predictor import Inherited
from search.evolve.scoring import Job
from search.space.space import Space

TINY = """
shape = [8, 8, 1]
classes = 10
input_bits = 5
act_bits = 4
score_bits = 8
[first]
channels = [2, 4]
mult = { conv = [3], bits = [4] }
[[stage]]
reduce = ["maxpool"]
channels = [4]
depth = [0, 1]
mult = { conv = [1], bits = [4] }
shift = { conv = [1], bits = [4] }
add = { conv = [1], bits = [4] }
[last]
head = ["globalavg"]
mult = { bits = [4] }
"""
"""A space, as a file, of a few small networks of all kinds for digits."""
J = TypeVar("J")
R = TypeVar("R")


def landscape(space: Space, genome: Genome) -> Score:
    """A made-up score in which mult pays in accuracy and costs LUTs, and a share costs latency."""
    layers = [layer for stage in genome.candidate.stages for layer in stage.layers]
    width = sum(stage.channels for stage in genome.candidate.stages)
    skill = sum({"mult": 3, "shift": 2.5, "add": 2}[c.kind] * c.kernel for c in layers) + width / 8
    area = 50 + sum(
        {"mult": 9, "shift": 3, "add": 2}[c.kind] * c.kernel**2 * c.bits for c in layers
    )
    cost = {
        "latency_us": (10 + width * len(layers)) / genome.share, "lut": area * genome.share,
        "energy_nj": 1.0 + area / 100, "ff": area, "dsp": 0, "bram": 0, "fmax_mhz": 40.0,
        "cycles_latency": 1, "cycles_interval": 1, "inferences_per_s": 1e6 * genome.share / area,
    }  # fmt: skip
    name = space.id(genome.candidate)
    key, accuracy = f"{name}-{genome.share:g}", 1 - 1 / (2 + skill)
    return Score(
        key, name, genome, accuracy, True, "", cost,
        inherited=Inherited(accuracy, 1 - accuracy), weights=int(area),
    )  # fmt: skip


def evaluate(job: Job) -> list[Score]:
    """In place of `search.evolve.scoring.evaluate`."""
    return [landscape(job.setting.space, Genome(job.candidate, s)) for s in job.shares]


class Here:
    """A pool that works in this process, and counts; `stop` raises after so many jobs."""

    def __init__(self, stop: int | None = None) -> None:
        self.done, self.stop = 0, stop

    def run(self, work: Callable[[J], R], jobs: Sequence[J]) -> Iterator[tuple[J, R]]:
        for job in jobs:
            if self.done == self.stop:
                raise KeyboardInterrupt
            self.done += 1
            yield job, work(job)
