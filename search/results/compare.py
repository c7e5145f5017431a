"""What one measured front gains over another: costs at equal accuracy, accuracy at equal LUTs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from search.results.hypervolume import Box, row
from search.results.results import OBJECTIVES, Finalist


@dataclass(frozen=True)
class Gain:
    """The front called `name` against the one called `other`; accuracies are on validation.

    accuracy: the highest that both reach. costs: (ours, theirs), the least of each that reaches
    it, on any point. luts: those of the other's most accurate network; ahead: of our
    best within `luts`. best: of each, at any cost.
    """

    name: str
    other: str
    style: str
    accuracy: float
    costs: Mapping[str, tuple[float, float]]
    luts: float
    ahead: float
    best: tuple[float, float]

    def saved(self, cost: str) -> float:
        """Part of their cost that ours saves; negative where ours takes more."""
        ours, theirs = self.costs[cost]
        return 1 - ours / theirs if theirs else 0.0


def gain(
    ours: Sequence[Finalist], theirs: Sequence[Finalist], names: tuple[str, str], style: str
) -> Gain | None:
    """None where one of the two has no verified finalist."""
    mine, his = [f for f in ours if f.verified], [f for f in theirs if f.verified]
    if not mine or not his:
        return None
    accuracy = min(_best(mine), _best(his))
    costs = {c: (_least(mine, c, accuracy), _least(his, c, accuracy)) for c in OBJECTIVES}
    luts = _cheapest_best(his)
    within = [f for f in mine if (f.measured.lut or 0.0) <= luts]
    ahead = _best(within) - _best(his) if within else float("-inf")
    return Gain(*names, style, accuracy, costs, luts, ahead, (_best(mine), _best(his)))


def volumes(
    fronts: Sequence[Sequence[Finalist]], classes: int, split: str = "validation"
) -> list[float]:
    """Hypervolume of each front, as a part of one box around all of them (Box.around).

    split: the accuracies that count. By validation a front is as the search chose it, lucky ones
    first; by test it is as an unseen image finds it.
    """
    rows = [[row(getattr(f, split) or 0.0, asdict(f.measured)) for f in one] for one in fronts]
    whole = [one for part in rows for one in part]
    if not whole:
        return [0.0] * len(fronts)
    box = Box.around(whole, classes)
    return [box.volume(part) for part in rows]


def _best(points: Sequence[Finalist]) -> float:
    return max(f.validation or 0.0 for f in points)


def _least(points: Sequence[Finalist], cost: str, accuracy: float) -> float:
    return min(f.measured.of(cost) or 0.0 for f in points if (f.validation or 0.0) >= accuracy)


def _cheapest_best(points: Sequence[Finalist]) -> float:
    """LUTs of the most accurate point; of the smallest of several."""
    return min(f.measured.lut or 0.0 for f in points if (f.validation or 0.0) == _best(points))
