"""What a reader gives: arrays and labels as they stand in the files, and what was seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.data.limits import DataError


@dataclass(frozen=True, eq=False)
class Part:
    """values: (N, …) numbers of any type. labels: (N,) or (N, K), numbers or texts."""

    values: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Raw:
    """`test` is None where the files have no split of their own.

    classes: names by class number, if the files say them. declared: the range of values that the
    files say they have. features: names of the columns of a table.
    """

    train: Part
    test: Part | None = None
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    declared: tuple[float, float] | None = None
    features: tuple[str, ...] = ()


def parted(source: object, parts: Mapping[str, Part]) -> tuple[Part, Part | None, tuple[str, ...]]:
    """(training, test, notes) of parts called train, val and test: val is test, or joins training.

    A validation part decides nothing here (a search splits one off the training part), so without
    a test part it is the test part.
    """
    train, val, test = (parts.get(name) for name in ("train", "val", "test"))
    if train is None:
        raise DataError(f"{source}: no training part; it has {', '.join(parts) or 'none'}")
    if val is None:
        return train, test, ()
    if test is None:
        return train, val, ("the validation part is the test part, as there is no other",)
    if train.values.shape[1:] != val.values.shape[1:]:
        raise DataError(
            f"{source}: validation images are {shown(val.values.shape[1:])}, training ones "
            f"{shown(train.values.shape[1:])}; make all of one size"
        )
    if train.labels.shape[1:] != val.labels.shape[1:]:
        raise DataError(f"{source}: labels of the training and the validation part differ in form")
    both = Part(
        np.concatenate([train.values, val.values]), np.concatenate([train.labels, val.labels])
    )
    return both, test, (f"{len(val.values)} validation images joined the training part",)


def shown(shape: tuple[int, ...]) -> str:
    """A shape for people: 28 × 28 × 1."""
    return " × ".join(map(str, shape)) or "single numbers"
