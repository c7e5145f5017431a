"""A data set that a tiny network learns in seconds."""

from __future__ import annotations

import numpy as np

from model.data import Dataset
from model.spec import Format


def bars(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy horizontal (class 0) and vertical (class 1) bars."""
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 6, (n, 6, 6, 1)), rng.integers(0, 2, n)
    for image, label, at in zip(images, labels, rng.integers(0, 6, n), strict=True):
        (image.swapaxes(0, 1) if label else image)[at] += 9
    return images.astype(np.uint8), labels


BARS = Dataset("bars", *bars(256, 0), *bars(128, 1), ("flat", "tall"), Format(4, False, 4))
"""256 images to train on, 128 to test."""
