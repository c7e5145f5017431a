"""Multi-objective evolution over networks: NSGA-II on their points, asked and told.

A network has a point for each share of the board (`SHARES`): folded anew it costs next to nothing
to score, while judging its weights takes most of the time. So networks are asked for, and what is
told, ranked and selected are points. pymoo does selection and ranking; the operators here work on
networks. Which are asked for depends on the seed and on what was told alone, so that a search that
was cut short is replayed from its beginning with the scores that are on disk.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
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
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding
from pymoo.operators.survival.rank_and_crowding.metrics import CrowdingDiversity
from pymoo.problems.static import StaticProblem
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from model.errors import RequestError
from search.evolve.objectives import Limits, Score
from search.results.hypervolume import spread
from search.results.results import OBJECTIVES
from search.space.space import Candidate, Choice, Space, StageChoice

SAMPLERS = ("evolution", "random")
CROSSED, MUTATED = 0.5, 0.9
"""Parts of the children that have two parents, and that mutate."""
RATES = (0.05, 0.1, 0.2)
"""Probability that a gene mutates, one for each child: near the front small steps are the ones
that lead further, at first they are too slow."""
KEPT = 2
"""Points that survive, for each network of a generation."""


class Evolution:
    """One run of NSGA-II on `space`; `start`, networks to begin with, precede random ones.

    min_accuracy: below it a network is worth nothing.
    known: networks that are not asked for again, but to begin with. population: networks of a
    generation. sampler: "evolution", or "random" for as many networks drawn at random.
    """

    def __init__(
        self, space: Space, limits: Limits, *, population: int, seed: int,
        sampler: str = "evolution", start: Sequence[Candidate] = (),
        known: Iterable[Candidate] = (), min_accuracy: float | None = None,
    ) -> None:  # fmt: skip
        if sampler not in SAMPLERS:
            raise RequestError(f"--sampler {sampler}: must be one of {', '.join(SAMPLERS)}")
        self.limits = limits
        draw = _Draw(space, random.Random(seed))
        fresh = _Fresh()
        first = list(dict.fromkeys([*start, *draw.first(population, sampler)]))[:population]
        fresh.seen.update(first, known)
        mating = {"mating": _Random(draw, fresh)} if sampler == "random" else {}
        self._problem = Problem(n_var=1, n_obj=1 + len(OBJECTIVES), n_ieq_constr=1, vtype=object)
        self._algorithm = NSGA2(
            pop_size=KEPT * population, n_offsprings=population, sampling=_column(first),
            crossover=_Cross(draw), mutation=_Mutate(draw), eliminate_duplicates=fresh,
            survival=RankAndCrowding(crowding_func=_Crowding(space.classes, min_accuracy)),
            **mating,
        )  # fmt: skip
        self._algorithm.setup(self._problem, termination=NoTermination(), seed=seed)

    def ask(self) -> list[Candidate]:
        """The next generation, never a network that was asked before; empty when there is none."""
        asked = self._algorithm.ask()
        return [] if asked is None else [one.X[0] for one in asked]

    def tell(self, scores: Sequence[Score]) -> None:
        """Scores of the networks asked for, in their order: any number of points of each."""
        told = Population.new("X", _column([score.genome.candidate for score in scores]))
        static = StaticProblem(
            self._problem,
            F=np.array([score.objectives() for score in scores]),
            G=np.array([[score.violation(self.limits)] for score in scores]),
        )
        Evaluator().eval(static, told)
        self._algorithm.tell(infills=told)

    @property
    def survivors(self) -> list[Candidate]:
        """The networks of the present population."""
        return list(dict.fromkeys(one.X[0] for one in self._algorithm.pop))


def front(scores: Sequence[Score], limits: Limits) -> list[Score]:
    """Those that may be built and that none beats in all objectives, by key."""
    feasible = sorted((s for s in scores if s.violation(limits) == 0), key=lambda s: s.key)
    if not feasible:
        return []
    rows = np.array([score.objectives() for score in feasible])
    return [
        feasible[i] for i in sorted(NonDominatedSorting().do(rows, only_non_dominated_front=True))
    ]


def smallest(space: Space, kind: str) -> Candidate:
    """Fewest channels, layers, weights and bits, all of `kind` where a stage has it."""
    ends = space.restrict([kind])
    stages = []
    for stage in space.stages:
        own = [c for c in stage.entries if c.kind == kind] or stage.entries
        depth = min(stage.depth)
        layers = depth * (min(own, key=_weight),) if depth else ()
        reduce = stage.reduce[-1] if layers or stage.reduce[-1] != "stride" else "maxpool"
        stages.append(StageChoice(reduce, min(stage.channels) if layers else 0, layers))
    return Candidate(
        min(space.first_channels), min(ends.first, key=_weight), tuple(stages), space.heads[-1],
        min(ends.last, key=_weight),
    )  # fmt: skip


def _weight(choice: Choice) -> tuple[int, int, int]:
    return choice.kernel**2 * (8 if choice.op == "conv" else 1), choice.bits, choice.act_bits


class _Crowding(CrowdingDiversity):
    """The order in which `spread` takes points, the first one highest: survivors hold as much
    hypervolume as they can. With four objectives hardly any point beats another, and distances
    alone would let the population drift along the front."""

    def __init__(self, classes: int, min_accuracy: float | None) -> None:
        self.classes, self.min_accuracy = classes, min_accuracy

    def _do(self, F: np.ndarray, n_remove: int = 0) -> np.ndarray:
        volumes = np.zeros(len(F))
        order = list(islice(spread(F.tolist(), self.classes, self.min_accuracy), len(F) - n_remove))
        volumes[order] = np.arange(len(order), 0, -1)
        return volumes


class _Draw:
    """Random networks of a space."""

    def __init__(self, space: Space, rng: random.Random) -> None:
        self.space, self.rng = space, rng

    def first(self, count: int, sampler: str) -> list[Candidate]:
        """Extremes of each kind, and random ones: half of them from one kind alone, in turn.

        The smallest network is the fastest on the whole board, and takes the fewest LUTs of the
        least share: ends that hold much of the hypervolume and that chance finds late.
        """
        if sampler == "random":
            return [self.any() for _ in range(count)]
        kinds = self.space.kinds
        ends = [
            one for kind in kinds for one in (self.space.largest(kind), smallest(self.space, kind))
        ]
        pure = [self.space.restrict([kind]) for kind in kinds] or [self.space]
        rest = [
            space.sample(self.rng)
            for pair in zip(cycle(pure), range(count), strict=False)
            for space in (self.space, pair[0])
        ]
        return [*ends, *rest]

    def any(self) -> Candidate:
        return self.space.sample(self.rng)

    def child(self, a: Candidate, b: Candidate) -> Candidate:
        return self.space.crossover(a, b, self.rng)

    def mutant(self, parent: Candidate) -> Candidate:
        return self.space.mutate(parent, self.rng, self.rng.choice(RATES))


class _Fresh(DuplicateElimination):
    """Lets pass what was never asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Candidate] = set()

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
        return _column([self.draw.mutant(one) for one in X[:, 0]])


class _Random(InfillCriterion):
    """In place of mating: points drawn at random."""

    def __init__(self, draw: _Draw, fresh: _Fresh) -> None:
        super().__init__(eliminate_duplicates=fresh)
        self.draw = draw

    def _do(self, problem: Problem, pop: Population, count: int, **options: Any) -> Population:
        return Population.new("X", _column([self.draw.any() for _ in range(count)]))


def _column(candidates: Sequence[Candidate]) -> np.ndarray:
    """Networks as pymoo wants them: an array (N, 1) of objects."""
    column = np.empty((len(candidates), 1), dtype=object)
    column[:, 0] = candidates
    return column
