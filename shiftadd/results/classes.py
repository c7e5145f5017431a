"""Accuracy by class in a few sentences, where one number would hide something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.confusion import ConfusionMatrix

POOR, BEHIND, UNBALANCED = 0.8, 0.1, 3
"""Of an accuracy that wants an explanation; of a class, how far below the whole; of the numbers of
images of two classes, how many times one is the other."""
SHOWN = 5


def class_lines(matrix: ConfusionMatrix) -> Sequence[str]:
    """The worst classes and what they are taken for; nothing where all do alike and well."""
    shares = {name: share for name, share in matrix.per_class.items() if share is not None}
    sizes = {n: sum(row) for n, row in zip(matrix.classes, matrix.counts, strict=True) if sum(row)}
    if not shares or not _told(matrix.accuracy, list(shares.values()), list(sizes.values())):
        return ()
    worst = sorted(shares, key=lambda name: shares[name])[:SHOWN]
    each = ", ".join(f"{name}: {100 * shares[name]:.1f} % of {sizes[name]}" for name in worst)
    more = f" (the worst {SHOWN} of {len(shares)})" if len(shares) > SHOWN else ""
    mixed = "; ".join(f"{true} for {said} ({n})" for true, said, n in matrix.worst())
    return (
        f"right by class{more}: {each}; {100 * matrix.balanced:.2f} % if every class counts alike",
        *([f"most often taken: {mixed}"] if mixed else []),
    )


def _told(accuracy: float, shares: Sequence[float], sizes: Sequence[int]) -> bool:
    behind = min(shares) < accuracy - BEHIND
    return accuracy < POOR or behind or max(sizes) > UNBALANCED * min(sizes)
