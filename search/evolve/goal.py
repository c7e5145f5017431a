"""What a search is for: the most accurate network that fits, the smallest that is accurate enough,
or a front of both. It orders the points that are trained and built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from model.errors import RequestError
from search.evolve.objectives import Score
from search.results.hypervolume import spread

GOALS = {
    "front": (True, False, False), "accuracy": (True, True, False), "smallest": (True, True, False),
}  # fmt: skip
"""By name, in which turns points are taken that are wanted most, and such as add most hypervolume:
of a front, too, a third is by accuracy alone, as one who asks for the best that fits would."""


@dataclass(frozen=True)
class Goal:
    """name: one of GOALS. min_accuracy: below it a network is worth nothing, a fraction."""

    name: str = "front"
    min_accuracy: float | None = None

    def __post_init__(self) -> None:
        if self.name not in GOALS:
            raise RequestError(f"--goal {self.name}: must be one of {', '.join(GOALS)}")
        if self.min_accuracy is not None and not 0 < self.min_accuracy < 1:
            raise RequestError(
                f"--min-accuracy {self.min_accuracy:g}: a fraction between 0 and 1, such as 0.9"
            )
        if self.name == "smallest" and self.min_accuracy is None:
            raise RequestError(
                "--goal smallest: say what is accurate enough, with --min-accuracy 0.9 or so"
            )

    def order(
        self, front: Sequence[Score], classes: int, *, among: Sequence[Score] = (),
        networks: bool = False, skip: Iterable[str] = (),
    ) -> Iterator[Score]:  # fmt: skip
        """Points in the order in which they are worth training or building: of `front` those that
        add most, and of `among` (default: front), which others may beat, those wanted most.

        networks: one point of each, at most. skip: keys that are done, or ids of networks; of the
        front they are there, though, and others add to them. classes: of the data.
        """
        if not front:
            return
        adding = spread([p.objectives() for p in front], classes, self.min_accuracy)
        wanted = each_network_first(sorted(among or front, key=self._wanted))
        sources = {True: iter(wanted), False: (front[i] for i in adding)}
        seen = set(skip)

        def fresh(source: Iterator[Score]) -> Score | None:
            return next((p for p in source if _name(p, networks) not in seen), None)

        for turn in cycle(GOALS[self.name]):
            point = fresh(sources[turn]) or fresh(sources[not turn])
            if point is None:
                return
            seen.add(_name(point, networks))
            yield point

    def _wanted(self, point: Score) -> tuple[float, ...]:
        """What is wanted most comes first: accuracy, or few LUTs at enough of it."""
        accuracy, lut = point.accuracy or 0.0, float(point.predicted["lut"])
        if self.name != "smallest":
            return -accuracy, lut
        return max(0.0, (self.min_accuracy or 0.0) - accuracy), lut


FRONT = Goal()


def each_network_first(points: Iterable[Score]) -> list[Score]:
    """The first point of each network, then the second ones, and so on, else in their order."""
    times: Counter[str] = Counter()
    places = []
    for point in points:
        places.append((times[point.id], point))
        times[point.id] += 1
    return [point for _, point in sorted(places, key=lambda place: place[0])]


def _name(point: Score, networks: bool) -> str:
    return point.id if networks else point.key
