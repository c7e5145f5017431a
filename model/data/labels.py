"""Labels of any kind to class numbers from 0, or the rule that they break."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from model.data.limits import DataError

MOST_CLASSES = 1000
LARGEST = 65535
"""A class number beyond it is taken for something else: an id, a measured value, a damaged file."""


def understand(
    source: object, parts: Sequence[np.ndarray], names: tuple[str, ...] | None = None
) -> tuple[list[np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """(class numbers int64 (N,) of each of `parts`, names of the classes, notes); first: training.

    names: of the classes by number, if they are known. Raises DataError.
    """
    notes: list[str] = []
    flat = [_flat(source, part, notes) for part in parts]
    texts = [part.dtype.kind in "US" for part in flat]
    if any(texts) and not all(texts):
        raise DataError(f"{source}: labels are texts in one part and numbers in another")
    values = _sorted({value for part in flat for value in np.unique(part).tolist()})
    _check(source, values, flat[0])
    numbers = [value for value in values if isinstance(value, int)]
    if not numbers:
        names = tuple(map(_name, values))
    elif names is None:
        names = tuple(map(str, values))
        if values != list(range(len(values))):
            notes.append(f"labels {_listed(values)} became classes 0 to {len(values) - 1}")
    else:
        names = _used(source, numbers, tuple(map(_name, names)), notes)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{source}: two classes are called {twice!r}; names must differ")
    order = {value: number for number, value in enumerate(values)}
    numbered = []
    for part in flat:
        own, inverse = np.unique(part, return_inverse=True)
        lookup = np.array([order[value] for value in own.tolist()], np.int64)
        numbered.append(lookup[inverse.reshape(-1)])
    return numbered, names, tuple(dict.fromkeys(notes))


def _used(
    source: object, values: list[int], names: tuple[str, ...], notes: list[str]
) -> tuple[str, ...]:
    """Those of the `names`, by class number from 0 or from 1, that sorted `values` stand for."""
    first = 1 if values[0] >= 1 and values[-1] == len(names) else 0
    if values[0] < 0 or values[-1] >= len(names) + first:
        raise DataError(
            f"{source}: label {values[0] if values[0] < 0 else values[-1]}, but {len(names)} class "
            "names; labels must be numbers of these names, from 0 or from 1"
        )
    if first:
        notes.append(f"labels count from 1: 1 is {names[0]}")
    unused = [name for n, name in enumerate(names, first) if n not in values]
    if unused:
        notes.append(f"classes without a single image left out: {_listed(unused)}")
    return tuple(names[value - first] for value in values)


def natural(name: str) -> tuple[int, int, str]:
    """Sorts names that are numbers by value, before all others: 2 before 10."""
    number = name.isascii() and name.isdecimal() and len(name) < 10
    return (0, int(name), name) if number else (1, 0, name)


def _flat(source: object, labels: np.ndarray, notes: list[str]) -> np.ndarray:
    """(N,) int64 or texts of labels in any form."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        ones = (labels == 1).sum(1) if labels.dtype.kind in "biuf" else np.zeros(len(labels))
        if not ((ones == 1).all() and ((labels == 0) | (labels == 1)).all()):
            raise DataError(
                f"{source}: labels {labels.shape} must be one class an image, or one-hot: "
                "a single 1 a row, all else 0"
            )
        notes.append(f"one-hot labels of {labels.shape[1]} columns became class numbers")
        numbers: np.ndarray = labels.argmax(1).astype(np.int64)
        return numbers
    if labels.ndim > 2 or labels.ndim == 0:
        raise DataError(f"{source}: labels of shape {labels.shape} must be (N,) or one-hot (N, K)")
    labels = labels.reshape(-1)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "U":
        return _numbers_of(labels)
    if labels.dtype.kind not in "biuf":
        raise DataError(f"{source}: labels of type {labels.dtype} must be numbers or texts")
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (np.abs(labels) <= LARGEST)
        whole &= np.where(whole, labels, 0) == np.round(np.where(whole, labels, 0))
        if not whole.all():
            value = labels[~whole][0]
            raise DataError(f"{source}: label {value} is no class; labels must be whole numbers")
    if labels.size and (int(labels.max()) > LARGEST or int(labels.min()) < -LARGEST):
        bad = labels.max() if int(labels.max()) > LARGEST else labels.min()
        raise DataError(
            f"{source}: label {bad} is beyond ±{LARGEST}; labels must be classes, no ids or sizes"
        )
    return labels.astype(np.int64)


def _numbers_of(labels: np.ndarray) -> np.ndarray:
    """Texts, or int64 where all are plain decimal numbers that are written in one way."""
    own = [str(value) for value in np.unique(labels)]
    if own and all(re.fullmatch(r"-?(0|[1-9][0-9]{0,4})(\.0+)?", name) for name in own):
        numbers: np.ndarray = labels.astype(np.float64).astype(np.int64)
        return numbers if numbers.max() <= LARGEST else labels
    return labels


def _check(source: object, values: list[int] | list[str], training: np.ndarray) -> None:
    if len(values) < 2:
        only = f"one class ({_name(values[0])})" if values else "no labels"
        raise DataError(f"{source}: {only}; a classifier needs two classes or more")
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"{source}: {len(values)} different labels for {len(training)} training images; at "
            f"most {MOST_CLASSES} classes are taken, and labels must be classes, no measured values"
        )
    if any(isinstance(value, str) and not value.strip() for value in values):
        raise DataError(f"{source}: an empty label; every image needs a class")


def _sorted(values: set[int] | set[str]) -> list[int] | list[str]:
    if all(isinstance(value, int) for value in values):
        return sorted(int(value) for value in values)
    return sorted(map(str, values), key=natural)


def _name(value: object) -> str:
    """Of a class: printable, of bounded length."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    return text if len(text) <= 100 else f"{text[:99]}…"


def _listed(values: Sequence[object], most: int = 4) -> str:
    if len(values) <= most:
        return ", ".join(map(str, values))
    return f"{', '.join(map(str, values[: most - 1]))}, … {values[-1]}"
