"""Test images with the scores of the golden model, against which a board is checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from model import golden
from model.data import DataError, Dataset, check_count
from model.spec import Format, Network


@dataclass(frozen=True, eq=False)
class Examples:
    """Integer images (N, height, width, channels), labels (N,), and scores (N, classes) of the
    golden model. name: of the data set."""

    name: str
    images: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    def first(self, count: int | None) -> Examples:
        """The first `count`, or all. Raises DataError when there are not so many."""
        check_count(self.name, count, len(self.images))
        arrays = (array[:count] for array in (self.images, self.labels, self.scores))
        return Examples(self.name, *arrays)


def examples(network: Network, data: Dataset) -> Examples:
    """The test images of `data` and the scores that the golden model gives them.

    Raises DataError where they are not of the kind that the network takes.
    """
    check_kind(network, data)
    scores = golden_scores(network, data.test_images)
    if len(data.classes) != scores.shape[1]:
        raise DataError(
            f"{data.name}: {len(data.classes)} classes; this network knows {scores.shape[1]}"
        )
    return Examples(data.name, data.test_images, data.test_labels, scores)


def check_kind(network: Network, data: Dataset) -> None:
    """DataError where the images of `data` are not of the kind that the network takes."""
    want, have = _kind(network.input.shape, network.input.format), _kind(data.shape, data.format)
    if want != have:
        raise DataError(
            f"{data.name}: images of {have}; this network takes {want}: give --data what it was "
            "trained on"
        )


def golden_scores(network: Network, images: np.ndarray) -> np.ndarray:
    """Integer scores (N, classes) for integer images (N, height, width, channels)."""
    outputs = golden.run(network, torch.from_numpy(images))
    return np.asarray(outputs[network.nodes[-1].name].flatten(1))


def _kind(shape: tuple[int, ...], form: Format) -> str:
    signed = "signed " if form.signed else ""
    return f"{' × '.join(map(str, shape))} {signed}values of {form.bits} bits"
