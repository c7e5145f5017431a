"""A data set: integer images or rows with class numbers, in a training and a test part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from model.data.limits import DataError
from model.data.scaling import InputScaling
from model.spec import Format

SEED = 0
"""Of the fixed splits."""
BYTE = Format(8, False, 8)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images uint8 (N, height, width, channels) in `format`, labels int64 (N,), names of classes.

    `flips`: a mirrored image is still of its class, so training may mirror. `table`: rows of
    features, (N, 1, 1, features), which are neither moved nor mirrored; `scaling` says how they
    became integers, and `features` what they are called. `source`: what `load` finds it by again,
    a built-in name or an absolute path. `notes`: what was converted on reading, a line each.

    >>> from model import data
    >>> digits = data.load("digits")
    >>> isinstance(digits, shiftadd.Dataset), digits.shape, len(digits.test_labels)
    (True, (8, 8, 1), 360)
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    format: Format = BYTE
    flips: bool = False
    table: bool = False
    scaling: InputScaling | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """sha256 (hex) of all that a training or a test sees: arrays, classes, format, scaling."""
        digest = hashlib.sha256()
        said = {"classes": self.classes, "format": asdict(self.format), "table": self.table}
        said |= {"scaling": asdict(self.scaling)} if self.scaling else {}
        parts = self.train_images, self.train_labels, self.test_images, self.test_labels
        shapes = [(str(part.dtype), part.shape) for part in parts]
        digest.update(json.dumps([said, shapes], sort_keys=True).encode())
        for part in parts:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    @property
    def shape(self) -> tuple[int, int, int]:
        h, w, c = self.train_images.shape[1:]
        return h, w, c


def check_count(name: str, count: int | None, total: int) -> None:
    """DataError unless `count` (None: all) of the `total` test images of a data set can be had."""
    if count is not None and not 1 <= count <= total:
        raise DataError(f"--images {count}: {name} has 1 to {total} test images")


def validation_split(data: Dataset, share: float = 0.1, seed: int = SEED) -> Dataset:
    """`data` whose test part is a stratified `share` of its training part.

    For choices made on the way to a result, so that the test images decide none of them.
    """
    train, held = stratified(data.train_labels, share, seed)
    images, labels = data.train_images, data.train_labels
    return replace(
        data, name=f"{data.name}-validation", train_images=images[train],
        train_labels=labels[train], test_images=images[held], test_labels=labels[held],
    )  # fmt: skip


def stratified(labels: np.ndarray, share: float, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices (rest, held): `share` of each class is held, by a fixed random order.

    At least one of every class that has two or more, so that each is seen on either side.
    """
    rng = np.random.default_rng(seed)
    held = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held.append(members[: max(round(share * len(members)), int(len(members) > 1))])
    out = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), out), out
