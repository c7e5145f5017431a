"""Arrays in .npz archives, and in folders of .npy files: sizes are bounded by their headers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from model.data.limits import DataError, check_bytes, size_of
from model.data.raw import Part, Raw, parted

IMAGES = ("x_{}", "{}_images", "{}_x", "{}_data", "x{}", "images_{}")
LABELS = ("y_{}", "{}_labels", "{}_y", "{}_label", "{}_targets", "y{}", "labels_{}")
WHOLE = (
    ("x", "images", "data", "image", "features"),
    ("y", "labels", "label", "target", "targets", "classes"),
)
HEADER = 1 << 16
"""Bytes in which the header of an array must stand."""
NAMES = ("class_names", "classes", "label_names", "labels_names", "target_names", "names")


def read_npz(path: Path) -> Raw:
    """x_train, y_train and, if there, x_val, x_test, …, as Keras or MedMNIST name them."""
    packed = size_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            check_bytes(path, sum(info.file_size for info in members), packed)
            arrays = {}
            for info in members:
                with archive.open(info) as file:
                    name = info.filename.removesuffix(".npy")
                    arrays[name] = _array(f"{path}: {name}", file, info.file_size)
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many types for a damaged file
        raise DataError(f"{path}: cannot be read as .npz ({type(error).__name__})") from None
    return from_mapping(path, arrays)


def read_npy_folder(folder: Path) -> Raw:
    """A folder with x_train.npy, y_train.npy and so on."""
    arrays = {}
    files = [file for file in sorted(folder.glob("*.npy")) if not file.name.startswith(".")]
    check_bytes(folder, sum(size_of(file) for file in files))
    for path in files:
        try:
            with path.open("rb") as file:
                arrays[path.stem] = _array(path, file, size_of(path))
        except DataError:
            raise
        except Exception as error:  # numpy raises many types for a damaged file
            raise DataError(f"{path}: cannot be read as .npy ({type(error).__name__})") from None
    return from_mapping(folder, arrays)


def _array(what: object, file: IO[bytes], size: int) -> np.ndarray:
    """One array of a .npy file of `size` bytes, whose header must tell the same size."""
    start = file.read(min(size, HEADER))
    head = io.BytesIO(start)  # which takes no memory for a length that is said but not there
    version = npy.read_magic(head)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(head)
    start = start[head.tell() :]
    if dtype.hasobject:
        raise DataError(f"{what}: Python objects, which are not read; save plain numbers or texts")
    wanted = dtype.itemsize * int(np.prod(np.array(shape, object)))
    held = size - head.tell()
    if any(side < 0 for side in shape) or wanted != held:
        raise DataError(f"{what}: {held} bytes for {dtype} {shape}: damaged; save it again")
    body = bytearray(start)
    while len(body) < wanted and (more := file.read(min(HEADER, wanted - len(body)))):
        body += more  # in pieces, so that an array is in memory once
    if len(body) < wanted:
        raise DataError(f"{what}: ends after {len(body)} of {wanted} bytes; save it again")
    flat = np.frombuffer(body, dtype) if wanted else np.empty(0, dtype)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def from_mapping(source: object, arrays: Mapping[str, np.ndarray]) -> Raw:
    """The parts among named arrays. Raises DataError where there is no training part."""
    lower = {name.lower(): array for name, array in arrays.items()}
    parts = {}
    for part, words in (("train", ("train",)), ("val", ("val", "valid")), ("test", ("test",))):
        images = _one(lower, [name.format(word) for name in IMAGES for word in words])
        labels = _one(lower, [name.format(word) for name in LABELS for word in words])
        if images is None:
            continue
        if labels is None:
            raise DataError(f"{source}: {part} images without labels; add an array y_{part}")
        parts[part] = Part(images, labels)
    if not parts:
        images, labels = (_one(lower, names) for names in WHOLE)
        if images is not None and labels is not None:
            parts["train"] = Part(images, labels)
    if "train" not in parts:
        named = ", ".join(list(arrays)[:8]) or "none"
        raise DataError(
            f"{source}: no arrays x_train and y_train, or x and y of all examples; it has {named}; "
            "save them under these names"
        )
    train, test, notes = parted(source, parts)
    return Raw(train, test, _names(lower), notes)


def _one(arrays: Mapping[str, np.ndarray], names: list[str] | tuple[str, ...]) -> np.ndarray | None:
    return next((arrays[name] for name in names if name in arrays), None)


def _names(arrays: Mapping[str, np.ndarray]) -> tuple[str, ...] | None:
    """Names of the classes, where an array of texts gives them."""
    for name in NAMES:
        array = arrays.get(name)
        if array is not None and array.ndim == 1 and array.dtype.kind in "US" and len(array) > 1:
            texts = array if array.dtype.kind == "U" else np.char.decode(array, "utf-8", "replace")
            return tuple(str(text) for text in texts)
    return None
