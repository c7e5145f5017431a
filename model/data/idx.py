"""IDX folders, as MNIST comes: {train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or as .gz."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from model.data.limits import DataError, check_bytes, size_of
from model.data.raw import Part, Raw

_RANKS = {"images": (3, 4), "labels": (1,)}


def read_idx(folder: Path, digests: Mapping[str, str] | None = None) -> Raw:
    """The four files of a folder; images (N, H, W), or (N, H, W, C) as idx4.

    `digests`: sha256 of the decompressed bytes by part, checked where given.
    """
    parts = []
    for name in ("train", "t10k"):
        images, labels = (
            _array(folder, f"{name}-{what}", digests or {}) for what in ("images", "labels")
        )
        if images.ndim not in (3, 4) or labels.shape != images.shape[:1]:
            raise DataError(
                f"{folder}: {name} images {images.shape} and labels {labels.shape} must match"
            )
        parts.append(Part(images, labels))
    return Raw(parts[0], parts[1])


def idx_folder(path: Path) -> Path | None:
    """The folder with IDX files: `path`, or where torchvision puts them in it; or None."""
    inside = ("", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw")
    return next((path / name for name in inside if idx_file(path / name, "train-images")), None)


def idx_file(folder: Path, part: str) -> Path | None:
    """The file of `part` (`train-images`, `t10k-labels`, …), plain before compressed, or None.

    Also with a dot for the last dash, as unpacking often leaves it: train-images.idx3-ubyte.
    """
    ranks = _RANKS[part.rpartition("-")[2]]
    names = (
        f"{part}{mark}idx{rank}-ubyte{end}"
        for rank in ranks
        for end in ("", ".gz")
        for mark in "-."
    )
    return next((folder / name for name in names if (folder / name).exists()), None)


def _array(folder: Path, part: str, digests: Mapping[str, str]) -> np.ndarray:
    path = idx_file(folder, part)
    if path is None:
        raise DataError(f"{folder}: no {part}-idx*-ubyte or .gz; an IDX folder has four files")
    packed = size_of(path)
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            head = file.read(4)
            if head[:3] != b"\0\0\x08" or len(head) < 4 or not 1 <= head[3] <= 4:
                raise DataError(
                    f"{path}: no IDX file of unsigned bytes (it starts with {head.hex()!r})"
                )
            sides = file.read(4 * head[3])
            if len(sides) < 4 * head[3]:
                raise DataError(f"{path}: ends within its header; fetch it again")
            shape = tuple(int(n) for n in np.frombuffer(sides, ">u4"))
            size = int(np.prod(np.array(shape, object)))
            check_bytes(path, size, packed if path.suffix == ".gz" else None)
            body = file.read(size + 1 if path.suffix == ".gz" else min(size + 1, packed))
    except DataError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); fetch it again") from None
    if len(body) != size:
        what = "truncated" if len(body) < size else "more than that"
        raise DataError(f"{path}: {len(body)} bytes for shape {shape}: {what}; fetch it again")
    if part in digests and hashlib.sha256(head + sides + body).hexdigest() != digests[part]:
        raise DataError(f"{path}: its sha256 is not that of the official file; fetch it again")
    return np.frombuffer(bytearray(body), np.uint8).reshape(shape)
