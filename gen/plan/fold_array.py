"""Many foldings of one layer at once, as arrays, and the counts of their features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gen.plan.plan import Fold

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class FoldArray:
    """As gen.plan.plan.Fold, with an array for each field."""

    pe: Array
    lanes: Array
    taps: Array
    out_lanes: Array
    multiplier: Array
    requant: Array
    weights: Array
    line_buffer: Array
    logic_pe: Array
    word: Array
    staged: Array

    @staticmethod
    def of(folds: Sequence[Fold]) -> FoldArray:
        """One folding for each of `folds`."""
        names = FoldArray.__dataclass_fields__
        return FoldArray(**{n: np.array([getattr(fold, n) for fold in folds]) for n in names})

    def only(self, mask: Array) -> FoldArray:
        """The foldings of a mask."""
        return FoldArray(**{name: column[mask] for name, column in vars(self).items()})

    def joined(self, others: FoldArray) -> FoldArray:
        """These foldings, then `others`."""
        columns = vars(others)
        return FoldArray(
            **{name: np.concatenate([own, columns[name]]) for name, own in vars(self).items()}
        )

    def __len__(self) -> int:
        return len(self.pe)

    def __getitem__(self, i: int) -> Fold:
        return Fold(**{name: column[i].item() for name, column in vars(self).items()})


class FeatureCounts(dict[str, Any]):
    """How many of each feature there are: an array with a number for each folding, or one for all.

    `dsp` and `bram` are multipliers and blocks of RAM, the others those of
    gen.cost.features.MEANING.
    """

    def add(self, more: Mapping[str, Any] | None = None, /, **counts: Any) -> FeatureCounts:
        """Adds `more` and `counts` to these counts, in place; returns them."""
        for name, n in (*(more or {}).items(), *counts.items()):
            self[name] = self[name] + n if name in self else n
        return self


def where(mask: Array, these: FeatureCounts, those: FeatureCounts) -> FeatureCounts:
    """`these` where the mask is set, `those` elsewhere; a feature that one lacks counts 0 there."""
    names = dict.fromkeys([*these, *those])
    return FeatureCounts({n: np.where(mask, these.get(n, 0), those.get(n, 0)) for n in names})


def tabled(make: Callable[..., Sequence[int]], *keys: Array) -> Array:
    """(numbers, foldings): the numbers that `make` gives for each folding.

    keys: the arguments of `make`, an array with one for each folding. `make` is called once for
    equal arguments.
    """
    rows = list(zip(*(key.tolist() for key in keys), strict=True))
    known = {row: make(*row) for row in set(rows)}
    return np.array([known[row] for row in rows]).T


def billed(make: Callable[..., FeatureCounts], *keys: Array) -> FeatureCounts:
    """The counts that `make` gives for each folding; `make` and keys as for `tabled`."""
    rows = list(zip(*(key.tolist() for key in keys), strict=True))
    known = {row: make(*row) for row in dict.fromkeys(rows)}
    names = dict.fromkeys(name for counts in known.values() for name in counts)
    number = {row: i for i, row in enumerate(known)}
    at = [number[row] for row in rows]
    return FeatureCounts(
        {n: np.array([counts.get(n, 0) for counts in known.values()])[at] for n in names}
    )


def bit_length(numbers: Array) -> Array:
    """`int.bit_length` of each of these non-negative integers."""
    bits: Array = np.frexp(numbers)[1]
    return bits
