"""The rounds of a search: evolve on predictions, train out what looks best, build the front of it;
refit the predictions, and again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gen.compile import CACHE
from gen.cost.cost import CostModel
from search.evolve.evolve import Evolution, front
from search.evolve.objectives import SHARES, Genome, Score, key
from search.evolve.predictor import CalibrationSample, Predictor
from search.evolve.scoring import Job, ScoringSetup, evaluate
from search.results.hypervolume import Box
from search.results.prediction_error import agrees, compare
from search.run import choice
from search.run.executor import Pool
from search.run.feasible import check_feasible
from search.run.finalists import BuildJob, build
from search.run.halving import Rung, ladder
from search.run.progress import Show, Tick
from search.run.refit import refit
from search.run.request import Request
from search.run.run_folder import RunFolder
from search.run.trainings import Trainings
from search.run.tuning import Training
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
    asked: set[Candidate] = field(default_factory=set)
    """Networks scored in the present round."""

    def __post_init__(self) -> None:
        folder = self.run.folder.resolve() / "trained"
        self.trained = Trainings(folder, self.pool, self.show)

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
            with self.run.timed("training"):
                self.promote(setting, training, number, {one["id"] for one in built})
            picked = self.pick(number, {one["key"] for one in built})
            if not picked:
                return
            with self.run.timed("finalists"):
                now = self.build(setting, number, picked)
            built += now
            assert self.box is not None
            errors = compare(number, now, self.box)
            self.run.end_round(errors)
            if agrees(errors):
                return
            setting = replace(setting, cost=self._refitted(built))

    def expects(self) -> Predictor:
        """What is known of trained accuracies now."""
        return Predictor.fit([*self.probes, *self.trained.samples.values()])

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
        """Trains a part of the round's networks at the first rung: those that look best.

        The best of many expected accuracies are too good to be true, most of all where kinds differ
        in what they gain: finalists are chosen by what training gave.
        """
        whole = self.ladder(number)[0].networks
        expected = self._as_known(self._points(number), self.expects())
        count = _until(whole, part + 1) - _until(whole, part)
        picked = choice.networks(self.request, expected, count, self.trained.samples)
        self.trained.begin(setting, training, picked, f"training {number + 1}.{part + 1}")

    def promote(
        self, setting: ScoringSetup, training: Training, number: int, built: Collection[str]
    ) -> None:
        """The later rungs: of the networks that stand at the one before and are not built yet,
        those that the goal wants most go on."""
        for at, rung in enumerate(self.ladder(number)[1:], 1):
            stand = {name for name, last in self.trained.rung.items() if last == at - 1}
            points = [one for one in self._delivered(number) if one.id in stand - set(built)]
            picked = choice.networks(self.request, points, rung.networks)
            what = f"training {number + 1}, rung {at + 1}"
            self.trained.go_on(setting, training.at(at, rung.epochs), picked, what)

    def _delivered(self, number: int) -> list[Score]:
        """Points of the round's networks that are trained, with the accuracy that they have now."""
        accuracy = self.trained.accuracy
        points = (one for one in self._points(number) if one.id in accuracy and one.fits)
        return [replace(one, accuracy=accuracy[one.id]) for one in points]

    def _points(self, number: int) -> list[Score]:
        """What the present round has scored so far; a run that is resumed has more on disk."""
        return [s for s in self.run.of_round(number) if s.genome.candidate in self.asked]

    def _as_known(self, scores: Sequence[Score], expects: Predictor) -> list[Score]:
        """`scores` with accuracies after the first rung, as they are known or expected now."""
        known = []
        for score in scores:
            accuracy = score.accuracy
            if score.id in self.trained.samples:
                accuracy = self.trained.samples[score.id].trained
            elif score.inherited is not None:
                kinds = score.genome.candidate.kinds
                accuracy = expects(kinds, score.weights, score.inherited)
            known.append(replace(score, accuracy=accuracy) if score.fits else score)
        return known

    def pick(self, number: int, built: Collection[str]) -> list[Score]:
        """Of the front of the trained networks what the goal wants most, of points that are not
        built yet; as the search saw them."""
        count = _halved(self.request.budget.finalists, number)
        keys = choice.points(self.request, self._delivered(number), count, built)
        return [self.run.scores[number, name] for name in keys]

    def ladder(self, number: int) -> tuple[Rung, ...]:
        """The rungs of a round."""
        budget = self.request.budget
        return ladder(_halved(budget.trained, number), budget.epochs, budget.rungs)

    def build(
        self, setting: ScoringSetup, number: int, picked: Sequence[Score]
    ) -> list[dict[str, Any]]:
        """The finalists of a round as their finalist.json has them, by key."""
        points: dict[str, list[Score]] = {}
        for score in picked:
            points.setdefault(score.id, []).append(score)
        folder, cache = str(self.run.folder.resolve()), str(CACHE.resolve())
        jobs = [
            BuildJob(
                setting, tuple(several), number, folder, cache, self.trained.at(name),
                self.trained.accuracy[name],
            )
            for name, several in points.items()
        ]  # fmt: skip
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


def _halved(count: int, number: int) -> int:
    """Later rounds, which look for what changed, have half as much."""
    return count if number == 0 else (count + 1) // 2


def _until(total: int, part: int) -> int:
    """How much of `total` is done after so many of PARTS."""
    return total * part // PARTS
