"""The rounds of a search: evolve on predictions, build the front, refit the predictions, again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gen.compile import CACHE
from gen.cost import CostModel
from search.agreement import agrees, compare
from search.evolve import Evolution, front
from search.executor import Pool
from search.feasible import check_feasible
from search.finalists import BuildJob, build
from search.hypervolume import Box, spread
from search.objectives import Genome, Score, key
from search.predictor import Predictor, Probe
from search.progress import Show, Tick
from search.refit import refit
from search.request import Request
from search.run import RunFolder
from search.scoring import Job, Setting, evaluate
from search.space import Candidate
from search.tuning import Training


@dataclass
class Rounds:
    """What the rounds share. Everything they compute is found on disk when they are run again."""

    request: Request
    run: RunFolder
    pool: Pool
    show: Show
    probes: Sequence[Probe] = ()
    box: Box | None = None
    """For hypervolumes: around the first points that could be built."""

    def all(self, setting: Setting, training: Training) -> None:
        """Up to as many rounds as asked for; fewer when predicted and measured front agree."""
        start: list[Genome] = []
        built: list[dict[str, Any]] = []
        setting = replace(setting, expects=Predictor.fit(self.probes))
        for number in range(self.request.budget.rounds):
            with self.run.timed("search"):
                start = self.evolve(setting, number, start)
            picked = self.pick(number, {one["key"] for one in built})
            if not picked:
                return
            with self.run.timed("finalists"):
                now = self.build(setting, training, number, picked)
            built += now
            assert self.box is not None
            found = compare(number, now, self.box)
            self.run.end_round(found)
            if agrees(found):
                return
            setting = replace(
                setting, cost=self._refitted(built),
                expects=Predictor.fit([*self.probes, *map(_probed, built)]),
            )  # fmt: skip

    def evolve(self, setting: Setting, number: int, start: Sequence[Genome]) -> list[Genome]:
        """One round of evolution from `start`; returns the last population."""
        asked, budget = self.request, self.request.budget
        evolution = Evolution(
            asked.searched, asked.limits, population=budget.population,
            seed=asked.seed * 1009 + number, sampler=asked.sampler, start=start,
        )  # fmt: skip
        scores: list[Score] = []
        total = budget.population * budget.generations
        with self.show.steps(f"round {number + 1}", total) as tick:
            for generation in range(budget.generations):
                genomes = evolution.ask()
                if not genomes:  # the space has no other points
                    break
                found = self.score(setting, genomes, (number, generation), tick)
                evolution.tell(found)
                scores += found
                last = budget.generations - 1
                check_feasible(self.pool, setting, asked.searched, scores, generation, last)
                tick(0, self._note(generation, scores))
        return evolution.survivors

    def _note(self, generation: int, scores: Sequence[Score]) -> str:
        able = front(scores, self.request.limits)
        if not able:
            return f"generation {generation + 1}  nothing fits yet"
        rows = [score.objectives() for score in able]
        self.box = self.box or Box.around(rows, self.request.space.classes)
        best = max(score.accuracy or 0.0 for score in able)
        volume = self.box.volume(rows)
        return f"generation {generation + 1}  hypervolume {volume:.4f}  best {100 * best:.2f} %"

    def score(
        self, setting: Setting, genomes: Sequence[Genome], at: tuple[int, int], tick: Tick
    ) -> list[Score]:
        """Scores at (round, generation): those that are on disk, and the others as they come."""
        run, space = self.run, self.request.space
        keys = [key(space, genome) for genome in genomes]
        missing: dict[Candidate, list[float]] = {}
        for name, genome in zip(keys, genomes, strict=True):
            if (at[0], name) not in run.scores:
                missing.setdefault(genome.candidate, []).append(genome.share)
        tick(len(keys) - sum(map(len, missing.values())))
        jobs = [
            Job(setting, candidate, tuple(shares), run.inherited.get(space.id(candidate)))
            for candidate, shares in missing.items()
        ]
        for _, found in self.pool.run(evaluate, jobs):
            for score in found:
                run.append(score, *at)
            tick(len(found))
        return [run.scores[at[0], name] for name in keys]

    def pick(self, number: int, built: set[str]) -> list[Score]:
        """A spread of the round's predicted front, of points that are not built yet.

        A point less than half as far above chance as the best is of no use, however cheap.
        """
        able = front(self.run.of_round(number), self.request.limits)
        best = max((score.accuracy or 0.0 for score in able), default=0.0)
        least = (best + 1 / self.request.space.classes) / 2
        able = [s for s in able if s.key not in built and (s.accuracy or 0.0) >= least]
        wanted = self.request.budget.finalists
        count = wanted if number == 0 else (wanted + 1) // 2
        return [able[i] for i in spread([s.objectives() for s in able], count)] if able else []

    def build(
        self, setting: Setting, training: Training, number: int, picked: Sequence[Score]
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
            for _, found in self.pool.run(build, jobs):
                rows += found
                for one in found:
                    tick(1, f"{one['key']}  {one['error'] or 'built'}"[:80])
        return sorted(rows, key=lambda one: str(one["key"]))

    def _refitted(self, built: Sequence[Mapping[str, Any]]) -> CostModel:
        """The committed cost model, fitted to what was measured in this run as well."""
        return refit(self.request.device, self.run.folder, built)


def _probed(finalist: Mapping[str, Any]) -> Probe:
    trained = finalist["accuracy"]["validation"]
    return Probe.from_dict(dict(finalist) | {"trained": trained})
