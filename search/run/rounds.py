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
from search.evolve.predictor import CalibrationSample
from search.evolve.scoring import Job, ScoringSetup, evaluate
from search.results.hypervolume import Box
from search.results.prediction_error import agrees, compare
from search.run import choice
from search.run.executor import Pool
from search.run.feasible import check_feasible
from search.run.finalists import BuildJob, build
from search.run.knowledge import Knowledge
from search.run.pace import Pace
from search.run.plan import PARTS, STRETCH, halved, lots, rungs
from search.run.plan import part as planned
from search.run.progress import Show, Tick
from search.run.refit import refit
from search.run.request import Request
from search.run.run_folder import RunFolder
from search.run.speeds import build_times
from search.run.trainings import Trainings
from search.run.tuning import Training
from search.space.space import Candidate


@dataclass
class Rounds:
    """What the rounds share. Everything they compute is found on disk when they are run again."""

    request: Request
    run: RunFolder
    pool: Pool
    show: Show
    pace: Pace
    probes: Sequence[CalibrationSample] = ()
    box: Box | None = None
    """For hypervolumes: around the first points that could be built."""
    asked: set[Candidate] = field(default_factory=set)
    """Networks scored in the present round."""

    def __post_init__(self) -> None:
        folder = self.run.folder.resolve() / "trained"
        self.trained = Trainings(folder, self.pool, self.show)
        self.known = Knowledge(self.request.space, self.probes, self.trained)

    def all(self, setting: ScoringSetup, training: Training) -> None:
        """Up to as many rounds as asked for; fewer when predicted and measured front agree."""
        start: list[Candidate] = []
        built: list[dict[str, Any]] = []
        for number in range(self.request.budget.rounds):
            self.asked.clear()
            for part in range(PARTS):
                setting = replace(setting, expects=self.known.fit())
                start = self.evolve(setting, number, part, start)
                self.train(setting, training, number, part)
            self.promote(setting, training, number, {one["id"] for one in built})
            now = self.finalists(setting, number, {one["key"] for one in built})
            if not now:
                return
            built += now
            assert self.box is not None
            errors = compare(number, now, self.box)
            self.run.end_round(errors)
            if agrees(errors):
                return
            setting = replace(setting, cost=self._refitted(built))

    def evolve(
        self, setting: ScoringSetup, number: int, part: int, start: Sequence[Candidate]
    ) -> list[Candidate]:
        """A part of a round of evolution, from `start`; returns the networks of the last
        population."""
        scored = planned(self.request.budget.population * self.request.budget.generations, part)
        with self.pace.step(f"search {number + 1}.{part + 1}", scored) as count:
            return self._evolve(setting, number, part, start, len(self.asked) + count)

    def _evolve(
        self, setting: ScoringSetup, number: int, part: int, start: Sequence[Candidate], end: int
    ) -> list[Candidate]:
        """Until `end` networks are scored in the round."""
        asked, budget = self.request, self.request.budget
        evolution = Evolution(
            asked.searched, asked.sure, population=budget.population,
            seed=(asked.seed * 1009 + number) * PARTS + part, sampler=asked.sampler, start=start,
            known=self.asked, min_accuracy=asked.goal.min_accuracy,
        )  # fmt: skip
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
                evolution.tell(self.known.told(scores, setting.expects))
                self.asked.update(candidates)
                points = self._points(number)
                done = len(self.asked) // budget.population - 1
                ended = part + 1 == PARTS and len(self.asked) >= end
                last = done if ended else budget.generations - 1
                check_feasible(self.pool, setting, asked.searched, points, done, last)
                tick(0, self._note(generation, self.known.told(points, setting.expects)))
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
        what = f"training {number + 1}.{part + 1}"
        first = rungs(self.request.budget, number)[0].networks
        with self.pace.step(what, planned(first, part)) as count:
            expected = self.known.told(self._points(number), self.known.fit())
            picked = choice.networks(self.request, expected, count, self.trained.samples)
            self.trained.begin(setting, training, picked, what)

    def promote(
        self, setting: ScoringSetup, training: Training, number: int, built: Collection[str]
    ) -> None:
        """The later rungs: of the networks that stand at the one before and are not built yet,
        those that the goal wants most go on."""
        for at, rung in enumerate(rungs(self.request.budget, number)[1:], 1):
            stand = {name for name, last in self.trained.rung.items() if last == at - 1}
            points = [one for one in self._delivered(number) if one.id in stand - set(built)]
            picked = choice.networks(self.request, points, rung.networks)
            what = f"training {number + 1}, rung {at + 1}"
            times = self.trained.times([one.id for one in picked])
            with self.pace.step(what, rung.epochs, times) as epochs:
                self.trained.go_on(setting, training.at(at, epochs), picked, what)

    def _delivered(self, number: int) -> list[Score]:
        """Points of the round's networks that are trained, with the accuracy that they have now."""
        accuracy = self.trained.accuracy
        points = (one for one in self._points(number) if one.id in accuracy and one.fits)
        return [replace(one, accuracy=accuracy[one.id]) for one in points]

    def _points(self, number: int) -> list[Score]:
        """What the present round has scored so far; a run that is resumed has more on disk."""
        return [s for s in self.run.of_round(number) if s.genome.candidate in self.asked]

    def finalists(
        self, setting: ScoringSetup, number: int, built: Collection[str]
    ) -> list[dict[str, Any]]:
        """Builds points of the front of the trained networks that are not built yet, those that the
        goal wants most, as the search saw them."""
        rows: list[dict[str, Any]] = []
        whole = halved(self.request.budget.finalists, number)
        for i, lot in enumerate(lots(whole) if self.pace.seconds else (whole,), 1):
            done = {*built, *(row["key"] for row in rows)}
            what = f"finalists {number + 1}.{i}"
            best = choice.points(self.request, self._delivered(number), int(STRETCH * lot), done)
            picked = [self.run.scores[number, name] for name in best]
            times = build_times(setting, [one.predicted["lut"] for one in picked[: max(1, lot)]])
            with self.pace.step(what, lot, times) as count:
                rows += self.build(setting, number, picked[:count], what)
        return sorted(rows, key=lambda one: str(one["key"]))

    def build(
        self, setting: ScoringSetup, number: int, picked: Sequence[Score], what: str
    ) -> list[dict[str, Any]]:
        """Finalists as their finalist.json has them."""
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
        with self.show.steps(what, len(picked)) as tick:
            for _, row in self.pool.run(build, jobs):
                rows += row
                for one in row:
                    tick(1, f"{one['key']}  {one['error'] or 'built'}"[:80])
        return rows

    def _refitted(self, built: Sequence[Mapping[str, Any]]) -> CostModel:
        """The committed cost model, fitted to what was measured in this run as well."""
        return refit(self.request.device, self.run.folder, built)
