"""How good a front is, and which few of its points stand for it: hypervolume, by moocore in pymoo.

Points are rows to minimise: logarithms of the error and of the costs, so that half the errors, as
half the LUTs, are worth the same anywhere.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymoo.indicators.hv import Hypervolume
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from search.results.results import OBJECTIVES

Row = Sequence[float]
WORSE, DEARER = 2.0, 10.0
"""Times the best error, and the highest cost of the front, from which on a point is worth nothing.
With chance and twice the highest cost, one network of 52 % was worth seven times what raising the
best from 90.1 to 92.5 % was."""
LEAST = 1e-3
"""Error that a validation split of some hundreds of images cannot tell from none."""


def row(accuracy: float, costs: Mapping[str, Any]) -> list[float]:
    """A point to minimise; costs by the names in OBJECTIVES."""
    errors = max(1 - accuracy, LEAST)
    return [math.log(errors), *(math.log(max(float(costs[name]), 1e-9)) for name in OBJECTIVES)]


@dataclass(frozen=True)
class Box:
    """The part of the objective space that counts; volumes are parts of it, from 0 to 1."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @staticmethod
    def around(
        rows: Iterable[Row], classes: int, min_accuracy: float | None = None, below: float = 10.0
    ) -> Box:
        """From the `reference` of the rows to the `below`-th part of the lowest of each."""
        table = np.array(list(rows), dtype=float)
        low = table.min(0) - math.log(below)
        return Box(tuple(low.tolist()), tuple(reference(table.tolist(), classes, min_accuracy)))

    def volume(self, rows: Iterable[Row]) -> float:
        """Part of the box that at least one of the points is no worse than."""
        table = np.array(list(rows), dtype=float).reshape(-1, len(self.low))
        return _volume(self._scaled(table), 1.0) if len(table) else 0.0

    def _scaled(self, table: np.ndarray) -> np.ndarray:
        low, high = np.array(self.low), np.array(self.high)
        scaled: np.ndarray = np.clip((table - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
        return scaled


def reference(rows: Iterable[Row], classes: int, min_accuracy: float | None = None) -> list[float]:
    """What hypervolumes are measured up to: WORSE times the error of the best row, or that of
    `min_accuracy`, but never more than chance; DEARER times the highest cost of the front."""
    table = np.array(list(rows), dtype=float)
    error = table[:, 0].min() + math.log(WORSE)
    if min_accuracy is not None:
        error = math.log(max(1 - min_accuracy, LEAST))
    front = NonDominatedSorting().do(table, only_non_dominated_front=True)
    high: list[float] = (table[front].max(0) + math.log(DEARER)).tolist()
    return [min(error, math.log(1 - 1 / classes)), *high[1:]]


def spread(rows: Sequence[Row], classes: int, min_accuracy: float | None = None) -> Iterator[int]:
    """Indices of `rows`: the most accurate, then always the one that adds most hypervolume.

    Greedy choice reaches at least 63 % of the best possible: the volume is submodular, so that what
    a row adds only ever shrinks, and is worked out anew only for those that may still be the best.
    Ends when nothing adds anything.
    """
    table = np.array(rows, dtype=float)
    scaled = table - reference(rows, classes, min_accuracy)
    first = min(range(len(rows)), key=lambda i: (*rows[i], i))
    chosen, volume = [first], _volume(scaled[[first]], 0.0)
    heap = [(-_volume(scaled[[i]], 0.0), i, 0) for i in range(len(rows)) if i != first]
    heapq.heapify(heap)
    yield first
    while heap:
        less, best, seen = heapq.heappop(heap)
        if seen < len(chosen):
            gain = _volume(scaled[[*chosen, best]], 0.0) - volume
            heapq.heappush(heap, (-gain, best, len(chosen)))
            continue
        if less >= 0:
            return
        chosen, volume = [*chosen, best], volume - less
        yield best


def _volume(table: np.ndarray, end: float) -> float:
    """Volume between the rows and `end`; what is not below that in all columns counts nothing."""
    return float(Hypervolume(ref_point=np.full(table.shape[1], end)).do(table))
