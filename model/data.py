"""Data sets as integer images: `digits`, `fashion-mnist` or any IDX folder, a folder by class, an .npz.

Nothing is downloaded. A data set that is not there raises DataError with one line on how to get it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.spec import Format

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts it."""
FASHION_VARIABLE = "SHIFTADD_FASHION_MNIST"
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
FASHION_SHA256 = {
    "train-images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""Of the decompressed bytes: packages compress the same files anew."""
IMAGE_SUFFIXES = (".png", ".bmp", ".gif", ".jpg", ".jpeg", ".pgm", ".ppm")
SEED = 0


class DataError(ValueError):
    """A data set is missing, damaged or of the wrong form; the message says which, and the way out."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images uint8 (N, height, width, channels) in `format`, labels int64 (N,), names of the classes.

    `flips`: a mirrored image is still of its class, so training may mirror.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    format: Format
    flips: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        h, w, c = self.train_images.shape[1:]
        return h, w, c


def load(name_or_path: str | os.PathLike[str]) -> Dataset:
    """The data set called `digits` or `fashion-mnist`, or the one at a path (folder or .npz).

    Raises DataError, one line.
    """
    name = os.fspath(name_or_path)
    if name == "digits":
        return _digits()
    if name == "fashion-mnist":
        return _fashion()
    path = Path(name)
    if path.is_dir():
        return _idx(path) if _idx_file(path, "train-images") else _folder(path)
    if path.suffix == ".npz" and path.is_file():
        return _npz(path)
    raise DataError(f"{name}: no such data set; give digits, fashion-mnist, a folder of images by class or an .npz")


def validation_split(data: Dataset, share: float = 0.1, seed: int = SEED) -> Dataset:
    """`data` whose test part is a stratified `share` of its training part: for choices made on the way."""
    train, held = stratified(data.train_labels, share, seed)
    return replace(
        data, name=f"{data.name}-validation",
        train_images=data.train_images[train], train_labels=data.train_labels[train],
        test_images=data.train_images[held], test_labels=data.train_labels[held],
    )  # fmt: skip


def stratified(labels: np.ndarray, share: float, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices (rest, held): `share` of each class is held, by a fixed random order."""
    rng = np.random.default_rng(seed)
    held = []
    for label in np.unique(labels):
        found = rng.permutation(np.flatnonzero(labels == label))
        held.append(found[: round(share * len(found))])
    out = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), out), out


def _split(name: str, images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], form: Format) -> Dataset:
    train, test = stratified(labels, 0.2)
    return Dataset(name, images[train], labels[train], images[test], labels[test], classes, form)


def _digits() -> Dataset:
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError:
        raise DataError("digits: scikit-learn is not installed; `pip install scikit-learn`") from None
    found = load_digits()
    images = found.images.astype(np.uint8)[..., None]
    labels = found.target.astype(np.int64)
    train, test = train_test_split(np.arange(len(labels)), test_size=360, random_state=SEED, stratify=labels)
    classes = tuple(str(n) for n in found.target_names)
    return Dataset("digits", images[train], labels[train], images[test], labels[test], classes, Format(5, False, 5))


def _fashion() -> Dataset:
    folder = Path(os.environ.get(FASHION_VARIABLE, FASHION_FOLDER))
    if not _idx_file(folder, "train-images"):
        raise DataError(
            f"fashion-mnist: nothing in {folder}; `apt install dataset-fashion-mnist`, "
            f"or set {FASHION_VARIABLE} to a folder with its four IDX files"
        )
    data = _idx(folder, FASHION_SHA256)
    return replace(data, name="fashion-mnist", classes=FASHION_CLASSES, flips=True)


def _idx(folder: Path, digests: dict[str, str] | None = None) -> Dataset:
    """The four files of an MNIST-like folder, plain or .gz: {train,t10k}-{images-idx3,labels-idx1}-ubyte."""
    parts = {}
    for part in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        path = _idx_file(folder, part)
        if path is None:
            raise DataError(f"{folder}: no {part}-idx*-ubyte or .gz; an IDX folder has four files")
        parts[part] = _read_idx(path, (digests or {}).get(part))
    for part in ("train", "t10k"):
        images, labels = parts[f"{part}-images"], parts[f"{part}-labels"]
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise DataError(f"{folder}: {part} has images {images.shape} and labels {labels.shape}: they must match")
    labels = {part: parts[f"{part}-labels"].astype(np.int64) for part in ("train", "t10k")}
    classes = tuple(str(n) for n in range(int(max(v.max() for v in labels.values())) + 1))
    return Dataset(
        folder.name, parts["train-images"][..., None], labels["train"], parts["t10k-images"][..., None],
        labels["t10k"], classes, Format(8, False, 8),
    )  # fmt: skip


def _idx_file(folder: Path, part: str) -> Path | None:
    rank = 3 if part.endswith("images") else 1
    found = (folder / f"{part}-idx{rank}-ubyte{suffix}" for suffix in ("", ".gz"))
    return next((path for path in found if path.is_file()), None)


def _read_idx(path: Path, digest: str | None) -> np.ndarray:
    """An array of an IDX file of unsigned bytes; `digest` is the sha256 of its decompressed bytes."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from None
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f"{path}: not an IDX file of unsigned bytes (it starts with {raw[:4].hex()})")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", raw[3], 4))
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if body.size != np.prod(shape):
        raise DataError(f"{path}: {body.size} bytes of data for shape {shape}: truncated or damaged; fetch it again")
    if digest and hashlib.sha256(raw).hexdigest() != digest:
        raise DataError(f"{path}: is not the official Fashion-MNIST file (its sha256 differs); fetch it again")
    return body.reshape(shape)


def _npz(path: Path) -> Dataset:
    """Arrays `x_train`, `y_train` and, if there, `x_test`, `y_test`, as Keras names them; images uint8."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from None
    missing = [key for key in ("x_train", "y_train") if key not in found]
    if missing:
        raise DataError(f"{path}: no array {missing[0]!r}; it has {', '.join(found) or 'none'}")
    parts = [_arrays(path, found, part) for part in ("train", "test") if f"x_{part}" in found]
    classes = tuple(str(n) for n in range(int(max(labels.max() for _, labels in parts)) + 1))
    form = Format(8, False, 8)
    if len(parts) == 1:
        return _split(path.stem, *parts[0], classes, form)
    return Dataset(path.stem, *parts[0], *parts[1], classes, form)


def _arrays(path: Path, found: dict[str, np.ndarray], part: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = found[f"x_{part}"], found.get(f"y_{part}", np.zeros(0))
    images = images[..., None] if images.ndim == 3 else images
    if images.dtype != np.uint8 or images.ndim != 4 or labels.shape[:1] != images.shape[:1]:
        raise DataError(
            f"{path}: x_{part} {images.dtype} {images.shape}, y_{part} {labels.shape}: "
            "must be uint8 (N, height, width[, channels]) and as many labels"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise DataError(f"{path}: y_{part} must be class numbers from 0, not {labels.dtype}")
    return images, labels.reshape(-1).astype(np.int64)


def _folder(path: Path) -> Dataset:
    """Images by class, path/class/*.png, or path/train/class/*.png and path/test/class/*.png."""
    split = (path / "train").is_dir() and (path / "test").is_dir()
    base = path / "train" if split else path
    classes = tuple(sorted(p.name for p in base.iterdir() if p.is_dir()))
    if len(classes) < 2:
        raise DataError(f"{base}: {len(classes)} class folders; a folder of images needs one per class, two or more")
    images, labels = _read_classes(base, classes)
    form = Format(8, False, 8)
    if not split:
        return _split(path.name, images, labels, classes, form)
    test_images, test_labels = _read_classes(path / "test", classes)
    if test_images.shape[1:] != images.shape[1:]:
        raise DataError(f"{path}: test images are {test_images.shape[1:]}, training ones {images.shape[1:]}")
    return Dataset(path.name, images, labels, test_images, test_labels, classes, form)


def _read_classes(base: Path, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    read = _image_reader()
    images, labels = [], []
    for label, name in enumerate(classes):
        files = sorted(p for p in (base / name).glob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise DataError(f"{base / name}: no images ({', '.join(IMAGE_SUFFIXES)})")
        for file in files:
            images.append(read(file))
            labels.append(label)
            if images[-1].shape != images[0].shape:
                raise DataError(f"{file}: is {images[-1].shape}, others {images[0].shape}: all must be of one size")
    return np.stack(images), np.array(labels, np.int64)


def _image_reader() -> Callable[[Path], np.ndarray]:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise DataError("a folder of images needs Pillow; `pip install pillow`") from None

    def read(file: Path) -> np.ndarray:
        try:
            with Image.open(file) as image:
                pixels = np.asarray(image.convert("L" if image.mode in ("1", "L", "I;16") else "RGB"))
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{file}: cannot be read as an image ({error})") from None
        return pixels[..., None] if pixels.ndim == 2 else pixels

    return read
