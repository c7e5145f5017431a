"""Which networks of a search are trained, and which of its points are built."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from search.evolve import evolve
from search.evolve.objectives import Score
from search.run.request import Request


def feasible(asked: Request, scores: Sequence[Score]) -> list[Score]:
    """Those that keep to the limits, with room for the error of a clock where any does."""
    for limits in (asked.sure, asked.limits):
        if kept := [score for score in scores if score.violation(limits) == 0]:
            return kept
    return []


def front(asked: Request, scores: Sequence[Score]) -> list[Score]:
    """Those of the feasible that none beats."""
    return evolve.front(feasible(asked, scores), asked.limits)


def networks(
    asked: Request, scores: Sequence[Score], count: int, skip: Collection[str] = ()
) -> list[Score]:
    """A point of each of `count` networks to train: of all that are feasible, on the front or not,
    those that the goal wants most; but for networks called as in `skip`."""
    among, classes = feasible(asked, scores), asked.space.classes
    best = evolve.front(among, asked.limits)
    ordered = asked.goal.order(best, classes, among=among, networks=True, skip=skip)
    return list(islice(ordered, count))


def points(
    asked: Request, scores: Sequence[Score], count: int, skip: Collection[str] = ()
) -> list[str]:
    """Keys of `count` points to build: of the front, those that the goal wants most; but for keys
    in `skip`."""
    ordered = asked.goal.order(front(asked, scores), asked.space.classes)
    return list(islice((one.key for one in ordered if one.key not in skip), count))
