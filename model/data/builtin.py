"""Data sets by name: nothing is downloaded, and their splits are fixed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.data import build
from model.data.dataset import SEED, Dataset
from model.data.idx import idx_file, read_idx
from model.data.limits import DataError
from model.data.raw import Part, Raw
from model.data.sounds import CLASSES, spectrograms
from model.spec import Format

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts it."""
FASHION_VARIABLE = "SHIFTADD_FASHION_MNIST"
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
FASHION_SHA256 = {
    "train-images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""Of the decompressed bytes: packages compress the same files anew."""


def digits() -> Dataset:
    """1797 images 8×8, 0 to 16 (5 bits): 1437 to train, 360 to test, a stratified split."""
    bunch, train, test = scikit("digits", 360)
    images, labels = bunch.images.astype(np.uint8)[..., None], bunch.target.astype(np.int64)
    pairs = images[train], labels[train], images[test], labels[test]
    classes = tuple(str(n) for n in bunch.target_names)
    return Dataset("digits", *pairs, classes, format=Format(5, False, 5))


def fashion() -> Dataset:
    """60,000 images 28×28 of clothes to train, 10,000 to test."""
    folder = Path(os.environ.get(FASHION_VARIABLE, FASHION_FOLDER))
    if not idx_file(folder, "train-images"):
        raise DataError(
            f"fashion-mnist: nothing in {folder}; `apt install dataset-fashion-mnist`, "
            f"or set {FASHION_VARIABLE} to a folder with its four IDX files"
        )
    raw = replace(read_idx(folder, FASHION_SHA256), classes=FASHION_CLASSES)
    return replace(build.dataset("fashion-mnist", folder, raw), flips=True)


def wine() -> Dataset:
    """178 wines, 13 measured features, 3 cultivars: 142 rows to train, 36 to test."""
    return _rows("wine", 36)


def breast_cancer() -> Dataset:
    """569 tumours, 30 measured features, malignant or benign: 455 rows to train, 114 to test."""
    return _rows("breast-cancer", 114)


def iris() -> Dataset:
    """150 flowers, 4 measured features, 3 species: 120 rows to train, 30 to test."""
    return _rows("iris", 30)


def sounds() -> Dataset:
    """1200 spectrograms 16×16 of computed sounds of 6 kinds: 960 to train, 240 to test."""
    pairs = *spectrograms(160, SEED), *spectrograms(40, SEED + 1)
    return Dataset("sounds", *pairs, CLASSES)


def _rows(name: str, tests: int) -> Dataset:
    bunch, train, test = scikit(name, tests)
    rows = np.asarray(bunch.data, np.float64)
    parts = Part(rows[train], bunch.target[train]), Part(rows[test], bunch.target[test])
    classes = tuple(str(n) for n in bunch.target_names)
    features = tuple(str(n) for n in bunch.feature_names)
    return build.dataset(name, name, Raw(*parts, classes, features=features))


def scikit(name: str, tests: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """(scikit-learn's data set, indices of its training part, of its test part), stratified."""
    try:
        from sklearn import datasets
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise DataError(f"{name}: needs scikit-learn; `pip install scikit-learn`") from None
    bunch = getattr(datasets, f"load_{name.replace('-', '_')}")()
    order = np.arange(len(bunch.target))
    train, test = train_test_split(order, test_size=tests, random_state=SEED, stratify=bunch.target)
    return bunch, train, test


BUILT_IN: dict[str, Callable[[], Dataset]] = {
    "digits": digits, "fashion-mnist": fashion, "wine": wine, "breast-cancer": breast_cancer,
    "iris": iris, "sounds": sounds,
}  # fmt: skip
