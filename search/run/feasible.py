"""A request that nothing meets: found out early, and said with the nearest value that is met."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gen.support.promises import RULES
from model.errors import ShiftaddError
from search.evolve.evolve import smallest
from search.evolve.objectives import SHARES, Limits, Score
from search.evolve.scoring import Job, ScoringSetup, evaluate
from search.run.executor import Pool
from search.space.space import Space

PATIENCE = 5
"""Generations after which a search that has found nothing gives up."""


class InfeasibleError(ShiftaddError, ValueError):
    """No network of the space meets the request; the line names the nearest value."""


def check_feasible(
    pool: Pool,
    setting: ScoringSetup,
    space: Space,
    scores: Sequence[Score],
    generation: int,
    last: int,
) -> None:
    """Raises InfeasibleError when it is time to give up. `generation` and `last` count from 0."""
    limits = setting.limits
    if generation < min(PATIENCE, last) or any(s.violation(limits) == 0 for s in scores):
        return
    if any(score.fits for score in scores):
        raise InfeasibleError(_nearest([s for s in scores if s.fits], limits, space, setting.board))
    free = replace(setting, limits=replace(limits, max_luts=None, dsps=None))
    jobs = [Job(free, smallest(space, kind), SHARES) for kind in space.kinds]
    scored = [score for _, several in pool.run(evaluate, jobs) for score in several]
    fitting = [score for score in scored if score.fits]
    if not fitting:
        raise InfeasibleError(
            f"nothing in space {space.name} fits {setting.board}; its smallest network "
            f"{min(scored, key=lambda s: s.excess).why}"
        )
    raise InfeasibleError(_nearest(fitting, limits, space, setting.board))


def _nearest(scores: Sequence[Score], limits: Limits, space: Space, board: str) -> str:
    """For each limit that is missed, the nearest value found where it is missed least."""
    best = min(scores, key=lambda s: (s.violation(limits), s.key))
    missed = [name for name, over in limits.excess(best.predicted).items() if over > 0]
    asked = " ".join(limits.said(name) for name in missed)
    figures = {name: best.predicted[RULES[name].figure] for name in missed}
    near = " ".join(limits.said(name, _met(name, value)) for name, value in figures.items())
    return f"{asked}: nothing found in space {space.name} meets it on {board}; nearest is {near}"


def _met(name: str, value: float) -> float:
    """The value rounded to the side that can be met."""
    steps = 100 if name == "max_latency_us" else 1
    return (math.floor(value) if name == "fps" else math.ceil(value * steps)) / steps
