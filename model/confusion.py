"""Which classes a network takes for which: counts by class, and the share right of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class ConfusionMatrix:
    """`counts`[true][said]: how many images of a class were said to be of each class."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def accuracy(self) -> float:
        """Share of all images that are right; 0 without any."""
        return self._right() / self.total if self.total else 0.0

    @property
    def per_class(self) -> dict[str, float | None]:
        """By class: the share of its images that are right; None where there are none."""
        shares = {}
        for index, (name, row) in enumerate(zip(self.classes, self.counts, strict=True)):
            shares[name] = row[index] / sum(row) if sum(row) else None
        return shares

    @property
    def balanced(self) -> float:
        """The mean of `per_class` over the classes that have images; 0 without any."""
        shares = [share for share in self.per_class.values() if share is not None]
        return sum(shares) / len(shares) if shares else 0.0

    def worst(self, count: int = 3) -> list[tuple[str, str, int]]:
        """The most frequent confusions, as (true, said, images), the largest first."""
        pairs = [
            (true, said, n)
            for true, row in zip(self.classes, self.counts, strict=True)
            for said, n in zip(self.classes, row, strict=True)
            if true != said and n
        ]
        return sorted(pairs, key=lambda pair: -pair[2])[:count]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "classes": list(self.classes),
            "counts": [list(row) for row in self.counts],
            "per_class": self.per_class,
            "balanced_accuracy": self.balanced,
        }

    def _right(self) -> int:
        return sum(row[index] for index, row in enumerate(self.counts))


def confusion(said: ArrayLike, labels: ArrayLike, classes: Sequence[str]) -> ConfusionMatrix:
    """Of `labels` (N,) beside what was said: classes (N,), or scores (N, classes).

    Of equal scores the first counts, as in the golden model. Raises ValueError for other shapes and
    for numbers that are no class.
    """
    given, true = np.asarray(said), np.asarray(labels)
    scores = given.ndim == 2 and given.shape[1] == len(classes)
    predicted = given.argmax(1) if scores else given
    if predicted.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(
            f"said {given.shape} must be (N,) or (N, {len(classes)}), labels {true.shape} (N,)"
        )
    both = np.concatenate([predicted, true]).astype(np.int64)
    if both.size and not 0 <= both.min() <= both.max() < len(classes):
        raise ValueError(f"classes {both.min()} to {both.max()} must be 0 to {len(classes) - 1}")
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (true.astype(np.int64), predicted.astype(np.int64)), 1)
    return ConfusionMatrix(tuple(classes), tuple(tuple(int(n) for n in row) for row in counts))
