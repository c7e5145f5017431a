"""Data sets as integer images: `digits`, `fashion-mnist`, or the files a user has.

Nothing is downloaded. A data set that is not there raises DataError with one line on how to get it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from model.data_files import DataError, Files, idx_file, read_folder, read_idx, read_npz
from model.spec import Format

__all__ = ["DataError", "Dataset", "check_count", "load", "stratified", "validation_split"]

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
SEED = 0
"""Of the fixed splits."""
BYTE = Format(8, False, 8)


@dataclass(frozen=True, eq=False)
class Scaling:
    """How numbers become integers: clip(round((x − offset) / step)) per feature, to the format.

    offset, step: (features,), chosen by the training part.
    """

    offset: tuple[float, ...]
    step: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images uint8 (N, height, width, channels) in `format`, labels int64 (N,), names of classes.

    `flips`: a mirrored image is still of its class, so training may mirror. `table`: rows of
    features, (N, 1, 1, features), which are neither moved nor mirrored; `scaling` says how they
    became integers. `source`: what `load` finds it by again, a built-in name or an absolute path.
    `notes`: what was converted on reading, a line each.
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
    scaling: Scaling | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

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


def load(name_or_path: str | os.PathLike[str]) -> Dataset:
    """The data set called `digits` or `fashion-mnist`, or the one at a path (folder or .npz).

    Raises DataError, one line.
    """
    name = os.fspath(name_or_path)
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    path = Path(name)
    if path.is_dir():
        files = read_idx(path) if idx_file(path, "train-images") else read_folder(path)
        return _dataset(path.resolve().name, files)
    if path.suffix == ".npz" and path.is_file():
        return _dataset(path.stem, read_npz(path))
    raise DataError(
        f"{name}: no such data set; give {', '.join(_BUILT_IN)}, an IDX folder, "
        "a folder of images by class or an .npz"
    )


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
    """Sorted indices (rest, held): `share` of each class is held, by a fixed random order."""
    rng = np.random.default_rng(seed)
    held = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held.append(members[: round(share * len(members))])
    out = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), out), out


def _dataset(name: str, files: Files, test_share: float = 0.2) -> Dataset:
    """A Dataset of what was read; without a test part of its own, a fixed `test_share` is held."""
    (images, labels), test = files.train, files.test
    if test is None:
        rest, held = stratified(labels, test_share)
        test = images[held], labels[held]
        images, labels = images[rest], labels[rest]
    return Dataset(name, images, labels, *test, files.classes)


def _digits() -> Dataset:
    """1797 images 8×8, 0 to 16 (5 bits): 1437 to train, 360 to test, a stratified split."""
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise DataError("digits: needs scikit-learn; `pip install scikit-learn`") from None
    bunch = load_digits()
    images, labels = bunch.images.astype(np.uint8)[..., None], bunch.target.astype(np.int64)
    order = np.arange(len(labels))
    train, test = train_test_split(order, test_size=360, random_state=SEED, stratify=labels)
    classes = tuple(str(n) for n in bunch.target_names)
    pairs = (images[train], labels[train]), (images[test], labels[test])
    return replace(_dataset("digits", Files(*pairs, classes)), format=Format(5, False, 5))


def _fashion() -> Dataset:
    folder = Path(os.environ.get(FASHION_VARIABLE, FASHION_FOLDER))
    if not idx_file(folder, "train-images"):
        raise DataError(
            f"fashion-mnist: nothing in {folder}; `apt install dataset-fashion-mnist`, "
            f"or set {FASHION_VARIABLE} to a folder with its four IDX files"
        )
    files = replace(read_idx(folder, FASHION_SHA256), classes=FASHION_CLASSES)
    return replace(_dataset("fashion-mnist", files), flips=True)


_BUILT_IN = {"digits": _digits, "fashion-mnist": _fashion}
