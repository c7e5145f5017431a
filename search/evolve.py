"""Multi-objective evolution over networks and their shares of the board: NSGA-II, asked and told.

pymoo does selection, ranking and crowding; the operators here work on Genomes. Which points are
asked for depends on the seed and on what was told alone, so that a search that was cut short is
replayed from its beginning with the scores that are on disk.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.evaluator import Evaluator
from pymoo.core.infill import InfillCriterion
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.problems.static import StaticProblem
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from search.objectives import SHARES, Genome, Limits, Score
from search.results import OBJECTIVES
from search.space import Candidate, Choice, Space, StageChoice

SAMPLERS = ("evolution", "random")
CROSSED, MUTATED, RATE = 0.5, 0.8, 0.2
"""Parts of the children that have two parents, and that mutate; probability of each gene."""


class Evolution:
    """One run of NSGA-II on `space`; `start`, points to begin with, precede random ones.

    sampler: "evolution", or "random" for as many points drawn at random.
    """

    def __init__(
        self, space: Space, limits: Limits, *, population: int, seed: int,
        sampler: str = "evolution", start: Sequence[Genome] = (),
    ) -> None:  # fmt: skip
        if sampler not in SAMPLERS:
            raise ValueError(f"--sampler {sampler}: must be one of {', '.join(SAMPLERS)}")
        self.limits = limits
        draw = _Draw(space, random.Random(seed))
        fresh = _Fresh()
        first = list(dict.fromkeys([*start, *draw.first(population, sampler)]))
        fresh.seen.update(first[:population])
        mating = {"mating": _Random(draw, fresh)} if sampler == "random" else {}
        self._problem = Problem(n_var=1, n_obj=1 + len(OBJECTIVES), n_ieq_constr=1, vtype=object)
        self._algorithm = NSGA2(
            pop_size=population, sampling=_column(first[:population]), crossover=_Cross(draw),
            mutation=_Mutate(draw), eliminate_duplicates=fresh, **mating,
        )  # fmt: skip
        self._algorithm.setup(self._problem, termination=NoTermination(), seed=seed)
        self._asked: Population | None = None

    def ask(self) -> list[Genome]:
        """The next generation, never a point that was asked before; empty when there is none."""
        self._asked = self._algorithm.ask()
        return [] if self._asked is None else [one.X[0] for one in self._asked]

    def tell(self, scores: Sequence[Score]) -> None:
        """Scores of what was asked, in the same order."""
        static = StaticProblem(
            self._problem,
            F=np.array([score.objectives() for score in scores]),
            G=np.array([[score.violation(self.limits)] for score in scores]),
        )
        Evaluator().eval(static, self._asked)
        self._algorithm.tell(infills=self._asked)

    @property
    def survivors(self) -> list[Genome]:
        """The present population."""
        return [one.X[0] for one in self._algorithm.pop]


def front(scores: Sequence[Score], limits: Limits) -> list[Score]:
    """Those that may be built and that none beats in all objectives, by key."""
    able = sorted((s for s in scores if s.violation(limits) == 0), key=lambda s: s.key)
    if not able:
        return []
    rows = np.array([score.objectives() for score in able])
    return [able[i] for i in sorted(NonDominatedSorting().do(rows, only_non_dominated_front=True))]


def smallest(space: Space, kind: str) -> Candidate:
    """Fewest channels, layers, weights and bits, all of `kind` where a stage has it."""
    stages = []
    for stage in space.stages:
        own = [c for c in stage.choices if c.kind == kind] or stage.choices
        depth = min(stage.depth)
        layers = depth * (min(own, key=_weight),) if depth else ()
        reduce = stage.reduce[-1] if layers or stage.reduce[-1] != "stride" else "maxpool"
        stages.append(StageChoice(reduce, min(stage.channels) if layers else 0, layers))
    return Candidate(
        min(space.first_channels), min(space.first, key=_weight), tuple(stages), space.heads[-1],
        min(space.last, key=_weight),
    )  # fmt: skip


def _weight(choice: Choice) -> tuple[int, int]:
    return choice.kernel**2 * (8 if choice.op == "conv" else 1), choice.bits


class _Draw:
    """Random Genomes of a space."""

    def __init__(self, space: Space, rng: random.Random) -> None:
        self.space, self.rng = space, rng

    def first(self, count: int, sampler: str) -> list[Genome]:
        """Extremes of each kind, and random ones: half of them from one kind alone, in turn.

        The smallest network is the fastest on the whole board, and takes the fewest LUTs of the
        least share: ends that hold much of the hypervolume and that chance finds late.
        """
        if sampler == "random":
            return [self.any() for _ in range(count)]
        ends = [
            genome
            for kind in self.space.kinds
            for genome in (
                Genome(self.space.largest(kind), max(SHARES)),
                Genome(smallest(self.space, kind), max(SHARES)),
                Genome(smallest(self.space, kind), min(SHARES)),
            )
        ]
        pure = [self.space.restrict([kind]) for kind in self.space.kinds] or [self.space]
        rest = [
            Genome(space.sample(self.rng), self.rng.choice(SHARES))
            for pair in zip(cycle(pure), range(count), strict=False)
            for space in (self.space, pair[0])
        ]
        return [*ends, *rest]

    def any(self) -> Genome:
        return Genome(self.space.sample(self.rng), self.rng.choice(SHARES))

    def child(self, a: Genome, b: Genome) -> Genome:
        candidate = self.space.crossover(a.candidate, b.candidate, self.rng)
        return Genome(candidate, self.rng.choice((a.share, b.share)))

    def mutant(self, parent: Genome) -> Genome:
        """Another share now and then, another network nearly always."""
        rng = self.rng
        share = rng.choice(SHARES) if rng.random() < RATE else parent.share
        if share != parent.share and rng.random() < 0.5:
            return Genome(parent.candidate, share)
        return Genome(self.space.mutate(parent.candidate, rng, RATE), share)


class _Fresh(DuplicateElimination):
    """Lets pass what was never asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Genome] = set()

    def do(self, pop: Population, *args: Any, **options: Any) -> Population:
        if not args:  # the first generation
            return pop
        kept = []
        for i, one in enumerate(pop):
            if one.X[0] not in self.seen:
                kept.append(i)
                self.seen.add(one.X[0])
        return pop[kept]


class _Cross(Crossover):
    def __init__(self, draw: _Draw) -> None:
        super().__init__(2, 1, prob=CROSSED)
        self.draw = draw

    def _do(self, problem: Problem, X: np.ndarray, **options: Any) -> np.ndarray:
        return _column([self.draw.child(a, b) for a, b in X[:, :, 0].T])[None]


class _Mutate(Mutation):
    def __init__(self, draw: _Draw) -> None:
        super().__init__(prob=MUTATED)
        self.draw = draw

    def _do(self, problem: Problem, X: np.ndarray, **options: Any) -> np.ndarray:
        return _column([self.draw.mutant(genome) for genome in X[:, 0]])


class _Random(InfillCriterion):
    """In place of mating: points drawn at random."""

    def __init__(self, draw: _Draw, fresh: _Fresh) -> None:
        super().__init__(eliminate_duplicates=fresh)
        self.draw = draw

    def _do(self, problem: Problem, pop: Population, count: int, **options: Any) -> Population:
        return Population.new("X", _column([self.draw.any() for _ in range(count)]))


def _column(genomes: Sequence[Genome]) -> np.ndarray:
    """Genomes as pymoo wants them: an array (N, 1) of objects."""
    column = np.empty((len(genomes), 1), dtype=object)
    column[:, 0] = genomes
    return column
