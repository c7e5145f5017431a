"""The rounds of a search: evolve on predictions, train out what looks best, build the front of it;
refit the predictions, and again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from gen.compile import CACHE
from gen.cost.cost import CostModel
from search.evolve.evolve import Evolution, front
from search.evolve.objectives import SHARES, Genome, Score, key
from search.evolve.predictor import CalibrationSample, Predictor
from search.evolve.scoring import Job, ScoringSetup, evaluate
from search.results.hypervolume import Box
from search.results.prediction_error import agrees, compare
from search.run.executor import Pool
from search.run.feasible import check_feasible
from search.run.finalists import BuildJob, build
from search.run.progress import Show, Tick
from search.run.refit import refit
from search.run.request import Request
from search.run.run_folder import RunFolder
from search.run.tuning import Training, TuneJob, probe
from search.space.space import Candidate

PARTS = 3
"""Of a round: each evolves on what the trainings of those before have told, and trains more."""


@dataclass
class Rounds:
    """What the rounds share. Everything they compute is found on disk when they are run again."""

    request: Request
    run: RunFolder
    pool: Pool
    show: Show
    probes: Sequence[CalibrationSample] = ()
    box: Box | None = None
    """For hypervolumes: around the first points that could be built."""
    trained: dict[str, CalibrationSample] = field(default_factory=dict)
    """Networks fine-tuned in this run, by id: their accuracies are known."""
    asked: set[Candidate] = field(default_factory=set)
    """Networks scored in the present round."""

    def all(self, setting: ScoringSetup, training: Training) -> None:
        """Up to as many rounds as asked for; fewer when predicted and measured front agree."""
        start: list[Candidate] = []
        built: list[dict[str, Any]] = []
        for number in range(self.request.budget.rounds):
            self.asked.clear()
            for part in range(PARTS):
                setting = replace(setting, expects=self.expects())
                with self.run.timed("search"):
                    start = self.evolve(setting, number, part, start)
                with self.run.timed("training"):
                    self.train(setting, training, number, part)
            picked = self.pick(number, {one["key"] for one in built})
            if not picked:
                return
            with self.run.timed("finalists"):
                now = self.build(setting, training, number, picked)
            built += now
            assert self.box is not None
            errors = compare(number, now, self.box)
            self.run.end_round(errors)
            if agrees(errors):
                return
            setting = replace(setting, cost=self._refitted(built))

    def expects(self) -> Predictor:
        """What is known of trained accuracies now."""
        return Predictor.fit([*self.probes, *self.trained.values()])

    def evolve(
        self, setting: ScoringSetup, number: int, part: int, start: Sequence[Candidate]
    ) -> list[Candidate]:
        """A part of a round of evolution, from `start`; returns the networks of the last
        population."""
        asked, budget = self.request, self.request.budget
        evolution = Evolution(
            asked.searched, asked.sure, population=budget.population,
            seed=(asked.seed * 1009 + number) * PARTS + part, sampler=asked.sampler, start=start,
            known=self.asked, min_accuracy=asked.goal.min_accuracy,
        )  # fmt: skip
        total = budget.population * budget.generations
        end = _until(total, part + 1)
        with self.show.steps(f"round {number + 1}.{part + 1}", end - len(self.asked)) as tick:
            while len(self.asked) < end:
                candidates = evolution.ask()
                if not candidates:  # the space has no others
                    break
                fresh = [one for one in candidates if one not in self.asked]
                beyond = set(fresh[end - len(self.asked) :])
                candidates = [one for one in candidates if one not in beyond]
                generation = len(self.asked) // budget.population
                scores = self.score(setting, candidates, (number, generation), tick)
                evolution.tell(self._as_known(scores, setting.expects))
                self.asked.update(candidates)
                points = self._points(number)
                done = len(self.asked) // budget.population - 1
                last = budget.generations - 1
                check_feasible(self.pool, setting, asked.searched, points, done, last)
                tick(0, self._note(generation, self._as_known(points, setting.expects)))
        return evolution.survivors

    def _note(self, generation: int, scores: Sequence[Score]) -> str:
        feasible = front(scores, self.request.limits)
        if not feasible:
            return f"generation {generation + 1}  nothing fits yet"
        rows = [score.objectives() for score in feasible]
        self.box = self.box or Box.around(
            rows, self.request.space.classes, self.request.goal.min_accuracy
        )
        best = max(score.accuracy or 0.0 for score in feasible)
        volume = self.box.volume(rows)
        return f"generation {generation + 1}  hypervolume {volume:.4f}  best {100 * best:.2f} %"

    def score(
        self,
        setting: ScoringSetup,
        candidates: Sequence[Candidate],
        at: tuple[int, int],
        tick: Tick,
    ) -> list[Score]:
        """Scores of networks at all SHARES, at (round, generation): those that are on disk, and the
        others as they come."""
        run, space = self.run, self.request.space
        points = [
            [key(space, Genome(candidate, share)) for share in SHARES] for candidate in candidates
        ]
        jobs = [
            Job(setting, candidate, SHARES, run.inherited.get(space.id(candidate)))
            for candidate, keys in zip(candidates, points, strict=True)
            if not all((at[0], name) in run.scores for name in keys)
        ]
        tick(sum(one not in self.asked for one in candidates) - len(jobs))
        for _, scored in self.pool.run(evaluate, jobs):
            run.append(scored, *at)
            tick(1)
        return [run.scores[at[0], name] for keys in points for name in keys]

    def train(self, setting: ScoringSetup, training: Training, number: int, part: int) -> None:
        """Trains out a part of the round's networks: those that look best.

        The best of many expected accuracies are too good to be true, most of all where kinds differ
        in what they gain: finalists are chosen by what training gave.
        """
        whole = self._of_round(number, "trained")
        jobs = [
            TuneJob(setting, training, score.genome.candidate, str(self._scratch(score.id)))
            for score in self._promising(number, _until(whole, part + 1) - _until(whole, part))
        ]
        names = {job.candidate: Path(job.folder).name for job in jobs}
        with self.show.steps(f"training {number + 1}.{part + 1}", len(jobs)) as tick:
            for job, sample in self.pool.run(probe, jobs):
                self.trained[names[job.candidate]] = sample
                tick(1, f"{sample.inherited.accuracy:.3f} → {sample.trained:.3f}")

    def _promising(self, number: int, count: int) -> list[Score]:
        """A point of each of `count` networks that are not trained yet: those that the goal wants
        most, by what is expected of the others and known of the trained ones."""
        feasible = self.front(self._as_known(self._points(number), self.expects()))
        best: dict[str, Score] = {}
        for point in self._ordered(feasible):
            if len(best) == count:
                break
            if point.id not in self.trained:
                best.setdefault(point.id, point)
        return list(best.values())

    def _ordered(self, points: Sequence[Score]) -> Iterator[Score]:
        return self.request.goal.order(points, self.request.space.classes)

    def _points(self, number: int) -> list[Score]:
        """What the present round has scored so far; a run that is resumed has more on disk."""
        return [s for s in self.run.of_round(number) if s.genome.candidate in self.asked]

    def _as_known(self, scores: Sequence[Score], expects: Predictor) -> list[Score]:
        """`scores` with accuracies as they are known, or expected now."""
        known = []
        for score in scores:
            accuracy = score.accuracy
            if score.id in self.trained:
                accuracy = self.trained[score.id].trained
            elif score.inherited is not None:
                kinds = score.genome.candidate.kinds
                accuracy = expects(kinds, score.weights, score.inherited)
            known.append(replace(score, accuracy=accuracy) if score.fits else score)
        return known

    def front(self, scores: Sequence[Score]) -> list[Score]:
        """The front of `scores`."""
        return front(scores, self.request.sure) or front(scores, self.request.limits)

    def pick(self, number: int, built: set[str]) -> list[Score]:
        """Of the front of the trained networks what the goal wants most, of points that are not
        built yet; as the search saw them."""
        known = [s for s in self._points(number) if s.id in self.trained]
        feasible = self.front(self._as_known(known, self.expects()))
        keys = [point.key for point in self._ordered(feasible)]
        fresh = (self.run.scores[number, name] for name in keys if name not in built)
        return list(islice(fresh, self._of_round(number, "finalists")))

    def _of_round(self, number: int, what: str) -> int:
        """Finalists or trained networks: later rounds, which look for what changed, have half."""
        wanted: int = getattr(self.request.budget, what)
        return wanted if number == 0 else (wanted + 1) // 2

    def _scratch(self, name: str) -> Path:
        """Where the network called `name` is trained."""
        return self.run.folder.resolve() / "trained" / name

    def build(
        self, setting: ScoringSetup, training: Training, number: int, picked: Sequence[Score]
    ) -> list[dict[str, Any]]:
        """The finalists of a round as their finalist.json has them, by key."""
        points: dict[str, list[Score]] = {}
        for score in picked:
            points.setdefault(score.id, []).append(score)
        folder, cache = str(self.run.folder.resolve()), str(CACHE.resolve())
        jobs = [
            BuildJob(setting, training, tuple(several), number, folder, cache)
            for several in points.values()
        ]
        rows: list[dict[str, Any]] = []
        with self.show.steps(f"finalists {number + 1}", len(picked)) as tick:
            for _, row in self.pool.run(build, jobs):
                rows += row
                for one in row:
                    tick(1, f"{one['key']}  {one['error'] or 'built'}"[:80])
        return sorted(rows, key=lambda one: str(one["key"]))

    def _refitted(self, built: Sequence[Mapping[str, Any]]) -> CostModel:
        """The committed cost model, fitted to what was measured in this run as well."""
        return refit(self.request.device, self.run.folder, built)


def _until(total: int, part: int) -> int:
    """How much of `total` is done after so many of PARTS."""
    return total * part // PARTS
