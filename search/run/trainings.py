"""The trainings of a run: rung by rung, each network in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import TypedDict

from model.checkpoint import LOG
from model.records import Count, decode
from search.evolve.objectives import Score
from search.evolve.predictor import CalibrationSample
from search.evolve.scoring import ScoringSetup
from search.results.results import RunError
from search.run.executor import Pool
from search.run.progress import Show
from search.run.tuning import Training, TuneJob, further, probe


class Lap(TypedDict):
    """Of a line of a training's log, what is read here."""

    seconds: Count


@dataclass
class Trainings:
    """What was trained, how far, and what that gave. What is on disk is not trained again.

    folder: absolute path, with a folder for each network by its id, and in that one for each later
    rung.
    """

    folder: Path
    pool: Pool
    show: Show
    samples: dict[str, CalibrationSample] = field(default_factory=dict)
    """After the first rung, by id: all of them after as many epochs, as probes are."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """After the latest rung, on the validation split."""
    rung: dict[str, int] = field(default_factory=dict)
    """The latest one."""

    def begin(
        self, setting: ScoringSetup, training: Training, scores: Sequence[Score], what: str
    ) -> None:
        """Trains networks, of each of which a point is given, from inherited weights."""
        jobs = [
            TuneJob(setting, training, one.genome.candidate, str(self.folder / one.id))
            for one in scores
        ]
        ids = {job.folder: one.id for job, one in zip(jobs, scores, strict=True)}
        with self.show.steps(what, len(jobs)) as tick:
            for job, sample in self.pool.run(probe, jobs):
                self.samples[ids[job.folder]] = sample
                self._keep(ids[job.folder], 0, sample.trained)
                tick(1, f"{sample.inherited.accuracy:.3f} → {sample.trained:.3f}")

    def go_on(
        self, setting: ScoringSetup, training: Training, scores: Sequence[Score], what: str
    ) -> None:
        """Trains networks on at the rung of `training`, from where the one before it has ended."""
        jobs = [
            TuneJob(
                setting, training, one.genome.candidate, self._at(one.id, training.rung),
                self.at(one.id),
            )
            for one in scores
        ]  # fmt: skip
        ids = {job.folder: one.id for job, one in zip(jobs, scores, strict=True)}
        with self.show.steps(what, len(jobs)) as tick:
            for job, accuracy in self.pool.run(further, jobs):
                name = ids[job.folder]
                tick(1, f"{self.accuracy[name]:.3f} → {accuracy:.3f}")
                self._keep(name, training.rung, accuracy)

    def at(self, name: str) -> str:
        """Folder of the latest training of the network called `name`."""
        return self._at(name, self.rung[name])

    def times(self, names: Sequence[str]) -> float:
        """How much longer an epoch of these networks takes than one of all that were trained."""
        all_of_them = [s for name in self.rung if (s := self._epoch_seconds(name))]
        these = [s for name in names if (s := self._epoch_seconds(name))]
        return mean(these) / mean(all_of_them) if these else 1.0

    def _epoch_seconds(self, name: str) -> float:
        """Mean of the network's latest training; 0 where its log is lost."""
        path = Path(self.at(name)) / LOG
        lines = path.read_bytes().splitlines() if path.is_file() else []
        rows = [decode(line, Lap, source=str(path), error=RunError) for line in lines]
        return mean(row["seconds"] for row in rows) if rows else 0.0

    def _at(self, name: str, rung: int) -> str:
        return str(self.folder / name / f"rung-{rung}" if rung else self.folder / name)

    def _keep(self, name: str, rung: int, accuracy: float) -> None:
        self.rung[name], self.accuracy[name] = rung, accuracy
