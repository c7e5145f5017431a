"""Readers of image data in files: IDX folders, .npz archives, folders of images by class."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import ShiftaddError

IMAGE_SUFFIXES = (".png", ".bmp", ".gif", ".jpg", ".jpeg", ".pgm", ".ppm")

Pairs = tuple[np.ndarray, np.ndarray]
"""Images uint8 (N, height, width, channels) and labels int64 (N,)."""


class DataError(ShiftaddError, ValueError):
    """A data set is missing, damaged or of the wrong form; the message says the way out."""


@dataclass(frozen=True, eq=False)
class Files:
    """What was read; `test` is None where the files have no split of their own."""

    train: Pairs
    test: Pairs | None
    classes: tuple[str, ...]


def read_idx(folder: Path, digests: Mapping[str, str] | None = None) -> Files:
    """The four files of an MNIST-like folder, {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz].

    `digests`: sha256 of the decompressed bytes by part, checked where given.
    """
    pairs = []
    for part in ("train", "t10k"):
        images, labels = (
            _idx_array(folder, f"{part}-{what}", digests or {}) for what in ("images", "labels")
        )
        if images.ndim != 3 or labels.shape != images.shape[:1] or not images.size:
            raise DataError(
                f"{folder}: {part} images {images.shape} and labels {labels.shape} must match"
            )
        pairs.append((images[..., None], labels.astype(np.int64)))
    return Files(pairs[0], pairs[1], _numbered(*pairs))


def idx_file(folder: Path, part: str) -> Path | None:
    """The file of `part` (`train-images`, `t10k-labels`, …), plain before compressed, or None."""
    rank = 3 if part.endswith("images") else 1
    candidates = (folder / f"{part}-idx{rank}-ubyte{suffix}" for suffix in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _idx_array(folder: Path, part: str, digests: Mapping[str, str]) -> np.ndarray:
    path = idx_file(folder, part)
    if path is None:
        raise DataError(f"{folder}: no {part}-idx*-ubyte or .gz; an IDX folder has four files")
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from None
    if raw[:3] != b"\0\0\x08" or len(raw) < 4 or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f"{path}: no IDX file of unsigned bytes (it starts with {raw[:4].hex()!r})")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", raw[3], 4))
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if body.size != np.prod(shape):
        raise DataError(f"{path}: {body.size} bytes for shape {shape}: truncated; fetch it again")
    if part in digests and hashlib.sha256(raw).hexdigest() != digests[part]:
        raise DataError(f"{path}: its sha256 is not that of the official file; fetch it again")
    return body.reshape(shape).copy()  # a view of bytes cannot be written, which torch wants


def read_npz(path: Path) -> Files:
    """Arrays x_train, y_train and, if there, x_test, y_test, as Keras names them; images uint8."""
    try:
        # opened here: numpy leaves a damaged file open until it is collected
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # zipfile, zlib and numpy raise many types for a damaged file
        raise DataError(f"{path}: cannot be read as .npz ({type(error).__name__})") from None
    missing = [key for key in ("x_train", "y_train") if key not in arrays]
    if missing:
        raise DataError(f"{path}: no array {missing[0]!r}; it has {', '.join(arrays) or 'none'}")
    train = _npz_pair(path, arrays, "train")
    test = _npz_pair(path, arrays, "test") if "x_test" in arrays else None
    return Files(train, test, _numbered(train, test or train))


def _npz_pair(path: Path, arrays: Mapping[str, np.ndarray], part: str) -> Pairs:
    images, labels = arrays[f"x_{part}"], arrays.get(f"y_{part}", np.zeros(0))
    images = images[..., None] if images.ndim == 3 else images
    if images.dtype != np.uint8 or images.ndim != 4 or labels.shape[:1] != images.shape[:1]:
        raise DataError(
            f"{path}: x_{part} {images.dtype} {images.shape}, y_{part} {labels.shape}: "
            "must be uint8 (N, height, width[, channels]) and as many labels"
        )
    if not np.issubdtype(labels.dtype, np.integer) or not len(labels) or labels.min() < 0:
        raise DataError(f"{path}: y_{part} must be class numbers from 0, not {labels.dtype}")
    return images, labels.reshape(-1).astype(np.int64)


def _numbered(*pairs: Pairs) -> tuple[str, ...]:
    return tuple(str(n) for n in range(max(int(labels.max()) for _, labels in pairs) + 1))


def read_folder(path: Path) -> Files:
    """path/class/*.png, or path/train/class/*.png beside path/test/class/*.png; all of one size."""
    split = (path / "train").is_dir() and (path / "test").is_dir()
    base = path / "train" if split else path
    classes = tuple(sorted(p.name for p in base.iterdir() if p.is_dir()))
    if len(classes) < 2:
        raise DataError(
            f"{base}: {len(classes)} class folders; a folder of images needs two or more, "
            "one per class"
        )
    train = _read_classes(base, classes)
    test = _read_classes(path / "test", classes) if split else None
    if test and test[0].shape[1:] != train[0].shape[1:]:
        raise DataError(
            f"{path}: test images are {test[0].shape[1:]}, training ones {train[0].shape[1:]}"
        )
    return Files(train, test, classes)


def _read_classes(base: Path, classes: tuple[str, ...]) -> Pairs:
    read = _image_reader()
    images: list[np.ndarray] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        files = [p for p in (base / name).glob("*") if p.suffix.lower() in IMAGE_SUFFIXES]
        if not files:
            raise DataError(f"{base / name}: no images ({', '.join(IMAGE_SUFFIXES)})")
        for file in sorted(files):
            images.append(read(file))
            labels.append(label)
            if images[-1].shape != images[0].shape:
                raise DataError(
                    f"{file}: is {images[-1].shape}, others are {images[0].shape}; "
                    "make all of one size"
                )
    return np.stack(images), np.array(labels, np.int64)


def _image_reader() -> Callable[[Path], np.ndarray]:
    try:
        from PIL import Image
    except ImportError:
        raise DataError("a folder of images needs Pillow; `pip install pillow`") from None

    def read(file: Path) -> np.ndarray:
        try:
            with Image.open(file) as image:
                pixels = np.array(image.convert("L" if image.mode in ("1", "L") else "RGB"))
        except Exception as error:  # Pillow raises many types for a damaged file
            raise DataError(f"{file}: cannot be read as an image ({error})") from None
        return pixels[..., None] if pixels.ndim == 2 else pixels

    return read
