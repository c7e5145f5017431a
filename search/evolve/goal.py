"""What a search is for: the most accurate network that fits, the smallest that is accurate enough,
or a front of both. It orders the points that are trained and built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    def order(self, points: Sequence[Score], classes: int) -> Iterator[Score]:
        """Those of `points` that are of use, in the order in which they are worth training or
        building. classes: of the data."""
        if not points:
            return
        rows = [point.objectives() for point in points]
        adding = (points[i] for i in spread(rows, classes, self.min_accuracy))
        sources = {True: iter(sorted(points, key=self._wanted)), False: adding}
        seen: set[str] = set()
        for turn in cycle(GOALS[self.name]):
            point = next((one for one in sources[turn] if one.key not in seen), None)
            if point is None:
                return
            seen.add(point.key)
            yield point

    def _wanted(self, point: Score) -> tuple[float, ...]:
        """What is wanted most comes first: accuracy, or few LUTs at enough of it."""
        accuracy, lut = point.accuracy or 0.0, float(point.predicted["lut"])
        if self.name != "smallest":
            return -accuracy, lut
        return max(0.0, (self.min_accuracy or 0.0) - accuracy), lut


FRONT = Goal()
