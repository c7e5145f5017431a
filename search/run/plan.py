"""What a search spends that is given a time: from measured speeds to a budget, and as it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from model.errors import RequestError
from search.run.halving import Rung, ladder
from search.run.request import SearchBudget, minutes

PARTS = 3
"""Of a round: each evolves on what the trainings of those before have told, and trains more."""
STRETCH = 4.0
"""Times more or less than was planned that a step may do."""
SCALES = tuple(1.03**i for i in range(-180, 120))
"""Of the space's own budget: from a two-hundredth to thirty-four times."""
ALWAYS = 0.5
"""Of it, from which on the teacher has all its epochs and no probe is left out."""
FEWER, MORE = 0.4, 1.6
"""Times the usual number of networks, within which epochs stay as they are."""
BUILDING = 1 / 3
"""Of the time, at most, for finalists; but one there is."""
GENERATIONS = 6
"""At least, before a population has its usual size."""


@dataclass(frozen=True)
class Speeds:
    """Seconds by the clock, while all workers are busy.

    score: of a network, at all shares of the board. epoch: of one network's epoch. teacher: of an
    epoch of the largest network, which is trained alone. told: of the teacher's scores of an
    epoch's images. build: of a finalist.
    """

    score: float
    epoch: float
    teacher: float
    told: float
    build: float


@dataclass(frozen=True)
class Step:
    """units: of what it does, as planned: networks, epochs of a rung, finalists. seconds: of all
    these."""

    name: str
    units: int
    seconds: float

    @property
    def kind(self) -> str:
        return kind_of(self.name)

    def slower(self, times: float) -> Step:
        return replace(self, seconds=self.seconds * times)


def kind_of(name: str) -> str:
    """Of a step; those of a kind are off by as much."""
    return name.partition(" ")[0].rstrip(",")


def part(total: int, number: int) -> int:
    """How many of `total` belong to one of PARTS."""
    return total * (number + 1) // PARTS - total * number // PARTS


def steps(budget: SearchBudget, speeds: Speeds) -> tuple[Step, ...]:
    """All of a search, in order."""
    probing = budget.epochs * (budget.probes * speeds.epoch + speeds.told)
    made = [
        Step("teacher", budget.teacher_epochs, budget.teacher_epochs * speeds.teacher),
        Step("probes", budget.probes, probing),
    ]
    for number in range(budget.rounds):
        made += _round(budget, speeds, number)
    return tuple(made)


def _round(budget: SearchBudget, speeds: Speeds, number: int) -> Iterator[Step]:
    first, *later = rungs(budget, number)
    for i in range(PARTS):
        scored = part(budget.population * budget.generations, i)
        trained = part(first.networks, i)
        yield Step(f"search {number + 1}.{i + 1}", scored, scored * speeds.score)
        spent = trained * first.epochs * speeds.epoch
        yield Step(f"training {number + 1}.{i + 1}", trained, spent)
    for at, rung in enumerate(later, 2):
        spent = rung.epochs * (rung.networks * speeds.epoch + speeds.told)
        yield Step(f"training {number + 1}, rung {at}", rung.epochs, spent)
    for i, built in enumerate(lots(halved(budget.finalists, number))):
        yield Step(f"finalists {number + 1}.{i + 1}", built, built * speeds.build)


def halved(count: int, number: int) -> int:
    """Later rounds, which look for what changed, have half as much."""
    return count if number == 0 else (count + 1) // 2


def rungs(budget: SearchBudget, number: int) -> tuple[Rung, ...]:
    """Those of a round."""
    return ladder(halved(budget.trained, number), budget.epochs, budget.rungs)


def lots(finalists: int) -> tuple[int, ...]:
    """They are built in two, so that the second can be fewer; a single one at once."""
    first = (finalists + 1) // 2
    return (first, finalists - first) if finalists > 1 else (finalists,)


def said(budget: SearchBudget, speeds: Speeds) -> str:
    """A plan in one line, with what its steps take."""
    spent: Counter[str] = Counter()
    for step in steps(budget, speeds):
        spent[step.kind] += round(step.seconds)
    trained = ", ".join(f"{one.networks} × {one.epochs}" for one in rungs(budget, 0))
    return (
        f"plan: teacher {budget.teacher_epochs} epochs ({minutes(spent['teacher'])}), probes "
        f"{budget.probes} × {budget.epochs} ({minutes(spent['probes'])}), "
        f"{budget.population * budget.generations} networks scored ({minutes(spent['search'])}), "
        f"trained {trained} epochs ({minutes(spent['training'])}), {budget.finalists} built "
        f"({minutes(spent['finalists'])}): {minutes(sum(spent.values()))}"
    )


def seconds_of(several: Sequence[Step]) -> float:
    return sum(one.seconds for one in several)


def plan(
    seconds: float, speeds: Speeds, usual: SearchBudget, given: Mapping[str, int],
    spent: float = 0.0,
) -> SearchBudget:  # fmt: skip
    """The largest budget that takes at most `seconds`, of which some are `spent`: one round of the
    space's `usual` one, scaled, but for what is `given`. Raises RequestError, which names the least
    time."""
    # Finalists are few and take long: what is too little for another one goes to all the rest.
    usually = _largest(seconds, speeds, usual, given, spent).finalists
    finalists = min(usually, max(1, int(BUILDING * (seconds - spent) / speeds.build)))
    return _largest(seconds, speeds, usual, {"finalists": finalists, **given}, spent)


def _largest(
    seconds: float, speeds: Speeds, usual: SearchBudget, given: Mapping[str, int], spent: float
) -> SearchBudget:
    scaled = [replace(_scaled(usual, scale), **given) for scale in SCALES]
    takes = [spent + seconds_of(steps(budget, speeds)) for budget in scaled]
    fitting = [b for b, taken in zip(scaled, takes, strict=True) if taken <= seconds]
    if not fitting:
        raise RequestError(
            f"--time {minutes(seconds)}: the least that a search takes here is "
            f"{minutes(min(takes) * 1.1)}"
        )
    return fitting[-1]


def stretched(step: Step, left: float, ahead: Sequence[Step]) -> int:
    """Units of `step`, so that it and the steps `ahead`, all stretched alike, take the seconds that
    are left; at least one, if any was planned."""
    if not step.units:
        return 0
    by = max(left, 0.0) / max(step.seconds + seconds_of(ahead), 1e-9)
    return max(1, int(step.units * min(STRETCH, max(1 / STRETCH, by))))


def _scaled(usual: SearchBudget, scale: float) -> SearchBudget:
    """One round of `usual`, with `scale` times the networks scored and the epochs trained."""
    scored = max(4.0 * GENERATIONS, usual.population * usual.generations * scale)
    population = min(usual.population, max(4, int(scored / GENERATIONS)))
    work = usual.trained * usual.epochs * scale
    networks = min(max(work / usual.epochs, FEWER * usual.trained), MORE * usual.trained)
    epochs = max(1, round(work / networks))
    whole = min(1.0, scale / ALWAYS)
    return replace(
        usual,
        population=population,
        generations=max(1, round(scored / population)),
        trained=max(PARTS, round(min(networks, work / epochs))),
        epochs=epochs,
        finalists=max(1, round(min(2.0, sqrt(scale)) * usual.finalists)),
        probes=round(whole * usual.probes),
        teacher_epochs=max(1, round(whole * usual.teacher_epochs)),
        rounds=1,
    )
