"""What was understood of a data set, for people and for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.data.dataset import Dataset

UNBALANCED = 3
"""Times as many training images as the smallest class has, from which on it is said."""


@dataclass(frozen=True)
class ClassCount:
    """Images, or rows, of a class."""

    name: str
    train: int
    test: int


@dataclass(frozen=True)
class DataSummary:
    """`train`, `test`: numbers of images or rows. bits: of the values, from `low` to `high` over
    both parts. majority: share right of whoever always says the largest class. notes: what was
    converted.
    """

    name: str
    source: str
    digest: str
    table: bool
    train: int
    test: int
    shape: tuple[int, int, int]
    bits: int
    low: int
    high: int
    classes: tuple[ClassCount, ...]
    unbalanced: bool
    majority: float
    flips: bool
    features: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        lists = {key: list(getattr(self, key)) for key in ("shape", "features", "notes")}
        return asdict(self) | lists | {"classes": [asdict(one) for one in self.classes]}

    def lines(self) -> list[str]:
        """Sentences for a terminal; the classes stand apart."""
        height, width, channels = self.shape
        what = "rows" if self.table else "images"
        form = f"of {channels} features" if self.table else _form(height, width, channels)
        said = [
            f"{self.name}: {self.train:,} {what} to train and {self.test:,} to test, {form}, "
            f"in {len(self.classes)} classes",
            f"values {self.low} to {self.high}, {self.bits} bits",
        ]
        if self.unbalanced:
            counts = sorted(self.classes, key=lambda one: one.train)
            said.append(
                f"unbalanced: {counts[-1].train:,} {what} of class {counts[-1].name}, "
                f"{counts[0].train:,} of class {counts[0].name}; always saying the largest class "
                f"is right in {self.majority:.1%} of the test part"
            )
        return said + list(self.notes)


def summarise(data: Dataset) -> DataSummary:
    """The summary of a data set."""
    kinds = len(data.classes)
    train = np.bincount(data.train_labels, minlength=kinds)
    test = np.bincount(data.test_labels, minlength=kinds)
    counts = zip(data.classes, train.tolist(), test.tolist(), strict=True)
    parts = [part for part in (data.train_images, data.test_images) if part.size]
    return DataSummary(
        data.name, data.source, data.digest, data.table, len(data.train_labels),
        len(data.test_labels), data.shape, data.format.bits,
        min(int(part.min()) for part in parts), max(int(part.max()) for part in parts),
        tuple(ClassCount(*row) for row in counts),
        bool(train.max() >= UNBALANCED * train.min()),
        float(test[train.argmax()] / max(1, test.sum())),
        data.flips, data.features, data.notes,
    )  # fmt: skip


def _form(height: int, width: int, channels: int) -> str:
    colours = {1: "grey", 3: "in colour"}.get(channels, f"of {channels} channels")
    return f"{height} × {width} pixels, {colours}"
