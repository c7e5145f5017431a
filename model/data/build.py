"""From what was read to a Dataset: labels understood, parts split, values made integers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from model.data.dataset import Dataset, stratified
from model.data.labels import understand
from model.data.limits import DataError, check_bytes
from model.data.options import Options
from model.data.raw import Part, Raw, shown
from model.data.scaling import LARGE, LEVELS, fit
from model.data.values import as_images, to_bytes

TEST_SHARE = 0.2
"""Of each class, where the files have no test part and none is asked for."""
FEWEST = 2
"""Training images of a class: one to train on, one for a validation split."""


def dataset(name: str, source: object, raw: Raw, options: Options | None = None) -> Dataset:
    """The Dataset of what was read. Raises DataError for what nothing can be learnt from."""
    options = options or Options()
    parts = [raw.train] if raw.test is None else [raw.train, raw.test]
    for what, part in zip(("training", "test"), parts, strict=False):
        _check(source, what, part)
    labels, classes, notes = understand(source, [part.labels for part in parts], raw.classes)
    notes = (*raw.notes, *notes)
    parts = [Part(part.values, own) for part, own in zip(parts, labels, strict=True)]
    if options.shape:
        parts = [_reshaped(source, part, options.shape) for part in parts]
    if len({part.values.shape[1:] for part in parts}) > 1:
        raise DataError(
            f"{source}: test images are {shown(parts[1].values.shape[1:])}, training ones "
            f"{shown(parts[0].values.shape[1:])}; make all of one size"
        )
    if len(parts) == 1:
        train, test, note = _split(source, parts[0], classes, options.test)
        notes = (*notes, note)
    elif options.test is not None:
        raise DataError(f"{source}: test={options.test}, but it has a test part of its own")
    else:
        train, test = parts
    _check_classes(source, train, test, classes)
    declared = options.declared or raw.declared
    made = _table if train.values.ndim == 2 else _images
    data = made(name, source, train, test, declared)
    return replace(
        data, classes=classes, source=str(source), features=raw.features,
        notes=tuple(note for note in (*notes, *data.notes) if note),
    )  # fmt: skip


def _check(source: object, what: str, part: Part) -> None:
    values, labels = part.values, part.labels
    if values.ndim < 2 or labels.ndim < 1 or len(values) != len(labels):
        raise DataError(
            f"{source}: {what} images {values.shape} and labels {labels.shape} must match"
        )
    if not len(values):
        raise DataError(f"{source}: no {what} images")
    if not values.size:
        raise DataError(
            f"{source}: {what} images are {shown(values.shape[1:])}; no side may be zero"
        )
    check_bytes(source, values.size)


def _reshaped(source: object, part: Part, shape: tuple[int, int, int]) -> Part:
    size = int(np.prod(shape))
    if part.values[0].size != size:
        raise DataError(
            f"{source}: shape {shown(shape)} is {size} values, a row has {part.values[0].size}"
        )
    return Part(part.values.reshape(-1, *shape), part.labels)


def _split(
    source: object, part: Part, classes: tuple[str, ...], last: int | None
) -> tuple[Part, Part, str]:
    count = len(part.values)
    if last is None:
        _enough(source, part.labels, classes, FEWEST + 1, "two to train on and one to test")
        rest, held = stratified(part.labels, TEST_SHARE)
        note = f"no test part: {len(held)} of {count}, the same share of each class, were held back"
    elif last >= count:
        raise DataError(f"{source}: test={last}, but there are only {count} rows")
    else:
        rest, held = np.arange(count - last), np.arange(count - last, count)
        if len(np.unique(part.labels[held])) < 2:
            raise DataError(
                f"{source}: test={last}: the last rows are all of class "
                f"{classes[part.labels[-1]]}; shuffle rows that stand in the order of their classes"
            )
        note = f"the last {last} of {count} are the test part"
    pairs = [Part(part.values[index], part.labels[index]) for index in (rest, held)]
    return pairs[0], pairs[1], note


def _check_classes(source: object, train: Part, test: Part, classes: tuple[str, ...]) -> None:
    counts = np.bincount(train.labels, minlength=len(classes))
    tests = np.bincount(test.labels, minlength=len(classes))
    unseen = [name for name, n, m in zip(classes, counts, tests, strict=True) if m and not n]
    if unseen:
        raise DataError(
            f"{source}: class {unseen[0]} is in the test part only; "
            "every class needs training images"
        )
    _enough(source, train.labels, classes, FEWEST, "one to train on and one to choose by")


def _enough(
    source: object, labels: np.ndarray, classes: tuple[str, ...], fewest: int, why: str
) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    least = int(counts.argmin())
    if counts[least] < fewest:
        raise DataError(
            f"{source}: class {classes[least]} has {counts[least]} training images; "
            f"at least {fewest} are needed, {why}"
        )


def _images(
    name: str, source: object, train: Part, test: Part, declared: tuple[float, float] | None
) -> Dataset:
    images, note = as_images(source, train.values)
    tests, _ = as_images(source, test.values)
    own, other, scaling, converted = to_bytes(source, images, tests, declared)
    if own.min() == own.max():
        raise DataError(
            f"{source}: all training values become {own.min()}, so there is nothing to learn from; "
            "say which range they have, as range=0..1 behind the path or value_range in Python"
        )
    own, other = np.ascontiguousarray(own), np.ascontiguousarray(other)
    return Dataset(
        name, own, train.labels, other, test.labels, (), scaling=scaling, notes=(note, converted)
    )


def _floats(source: object, values: np.ndarray) -> np.ndarray:
    """float64 of the numbers of a table (N, features), all finite. Raises DataError."""
    if values.dtype.kind not in "biuf":
        raise DataError(f"{source}: values of type {values.dtype} must be numbers")
    check_bytes(source, 8 * values.size)
    with np.errstate(over="ignore"):  # of wider floats
        rows = values.astype(np.float64)
    usable = np.isfinite(rows) & (np.abs(rows) <= LARGE)
    if not usable.all():
        row, column = np.argwhere(~usable)[0].tolist()
        raise DataError(
            f"{source}: row {row + 1}, feature {column + 1} is {values[row, column]}; "
            "fill what is missing, or leave the row out"
        )
    return rows


def _pixels(rows: np.ndarray) -> bool:
    """Whether rows (N, features) look as images do that were written as rows."""
    count, one = rows.shape[1], rows[0]
    square = count >= 64 and math.isqrt(count) ** 2 == count
    return square and bool(rows.min() >= 0 and rows.max() <= LEVELS and (one == one.round()).all())


def _table(
    name: str, source: object, train: Part, test: Part, declared: tuple[float, float] | None
) -> Dataset:
    """Rows (N, F) as (N, 1, 1, F), each feature over its own range."""
    if declared:
        raise DataError(f"{source}: range= is for images; each column of a table has its own")
    rows, tests = _floats(source, train.values), _floats(source, test.values)
    scaling = fit(rows)
    offset, step = np.array(scaling.offset), np.array(scaling.step)
    ends = offset - step / 2, offset + (LEVELS + 0.5) * step
    clipped = sum(int(((part < ends[0]) | (part > ends[1])).sum()) for part in (rows, tests))
    notes = ["each feature became 0 to 255 over its range in the training part"]
    if clipped:
        notes.append(f"{clipped} of {rows.size + tests.size} values beyond these ranges clipped")
    if _pixels(rows):
        side = math.isqrt(rows.shape[1])
        notes.append(f"pixels of images? shape={side}x{side} behind the path keeps them images")
    ints = [scaling.apply(part)[:, None, None, :] for part in (rows, tests)]
    constant = int((ints[0] == ints[0][0]).all((0, 1, 2)).sum())
    if constant == rows.shape[1]:
        raise DataError(f"{source}: every feature has one value; there is nothing to learn from")
    if constant:
        notes.append(f"{constant} of {rows.shape[1]} features have one value throughout")
    return Dataset(
        name, ints[0], train.labels, ints[1], test.labels, (), table=True, scaling=scaling,
        notes=tuple(notes),
    )  # fmt: skip
