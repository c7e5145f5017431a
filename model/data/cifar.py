"""CIFAR-10 and CIFAR-100 as their authors publish them: python or binary, folder or .tar.gz."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model.data.limits import DataError, check_bytes, content_of, size_of
from model.data.plain_pickle import loads
from model.data.raw import Part, Raw

ARCHIVES = (".tar.gz", ".tgz", ".tar")
FOLDERS = "cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary"
SIDE, PIXELS = 32, 3 * 32 * 32
_FILES = re.compile(
    r"(data_batch_[0-9]{1,3}|test_batch|train|test)(\.bin)?|batches\.meta(\.txt)?|meta|"
    r"fine_label_names\.txt"
)


def cifar_folder(path: Path) -> Path | None:
    """The folder with CIFAR's files, `path` or the one in it that its archive makes, or None."""
    for folder in (path, *(path / name for name in FOLDERS)):
        batches = [folder / f"data_batch_1{end}" for end in ("", ".bin")]
        if any(map(Path.is_file, [*batches, folder / "train.bin"])):
            return folder
        if all((folder / name).is_file() for name in ("train", "test", "meta")):
            return folder
    return None


def read_cifar_folder(folder: Path) -> Raw:
    """Images (N, 32, 32, 3) of the batches in a folder."""
    files = [path for path in sorted(folder.iterdir()) if _FILES.fullmatch(path.name)]
    check_bytes(folder, sum(size_of(path) for path in files))
    return _read(folder, {path.name: content_of(path) for path in files})


def read_archive(path: Path) -> Raw:
    """The same of an archive, which is read in one pass; nothing is unpacked to disk."""
    packed = size_of(path)
    files: dict[str, bytes] = {}
    try:
        with path.open("rb") as plain:
            inside = gzip.GzipFile(fileobj=plain) if path.suffix != ".tar" else plain
            bounded = _Bounded(path, packed, inside)
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                for member in archive:
                    name = member.name.rpartition("/")[2]
                    if member.isreg() and not member.sparse and _FILES.fullmatch(name):
                        check_bytes(path, member.size, packed)
                        file = archive.extractfile(member)
                        files[name] = file.read() if file else b""
    except DataError:
        raise
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise DataError(
            f"{path}: cannot be unpacked ({type(error).__name__}); fetch it again"
        ) from None
    return _read(path, files)


class _Bounded(io.RawIOBase):
    """A file that gives no more bytes than a data set may take."""

    def __init__(self, path: Path, packed: int, inside: Any):
        self._path, self._packed, self._inside, self._given = path, packed, inside, 0

    def read(self, size: int = -1) -> bytes:
        self._given += max(0, size)
        check_bytes(self._path, self._given, self._packed)
        content: bytes = self._inside.read(size)
        return content


def _read(source: Path, files: Mapping[str, bytes]) -> Raw:
    batches = sorted(name for name in files if name.startswith(("data_batch", "train")))
    tests = [name for name in files if name.startswith("test")]
    if not batches or len(tests) != 1:
        raise DataError(
            f"{source}: {len(batches)} training and {len(tests)} test batches; CIFAR's folders and "
            "archives have data_batch_1, … (or train) and one test_batch (or test)"
        )
    check_bytes(source, sum(map(len, files.values())))
    parts = []
    for names in (batches, tests):
        pairs = [_batch(f"{source}: {name}", name, files[name]) for name in names]
        parts.append(Part(*(np.concatenate(arrays) for arrays in zip(*pairs, strict=True))))
    return Raw(parts[0], parts[1], _names(source, files))


def _batch(what: str, name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(images (N, 32, 32, 3), labels (N,)) of one batch."""
    if name.endswith(".bin"):
        head = 1 if len(content) % (PIXELS + 1) == 0 else 2  # CIFAR-100: coarse, then fine
        if not content or len(content) % (PIXELS + head):
            raise DataError(
                f"{what}: {len(content)} bytes are no records of a label and 3072 bytes"
            )
        rows = np.frombuffer(bytearray(content), np.uint8).reshape(-1, PIXELS + head)
        return _images(rows[:, head:]), rows[:, head - 1].astype(np.int64)
    batch = _pickle(what, content)
    values, labels = batch.get("data"), batch.get("labels", batch.get("fine_labels"))
    whole = isinstance(labels, list) and all(type(n) is int and 0 <= n < 1000 for n in labels)
    array = values if isinstance(values, np.ndarray) and values.dtype == np.uint8 else np.empty(0)
    if not whole or array.shape != (len(labels or ()), PIXELS):
        raise DataError(f"{what}: must hold uint8 data (N, 3072) and a list of N labels")
    return _images(array), np.array(labels, np.int64)


def _images(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)


def _pickle(what: str, content: bytes) -> dict[str, Any]:
    try:
        thing = loads(content)
    except DataError as error:
        raise DataError(f"{what}: {error}; fetch it again from CIFAR's authors") from None
    if not isinstance(thing, dict):
        raise DataError(f"{what}: holds no batch; fetch it again from CIFAR's authors")
    return {
        key.decode("latin-1") if isinstance(key, bytes) else str(key): thing[key] for key in thing
    }


def _names(source: Path, files: Mapping[str, bytes]) -> tuple[str, ...] | None:
    """Of the classes, if the file with them is there."""
    for name in ("batches.meta.txt", "fine_label_names.txt"):
        if name in files:
            return tuple(files[name].decode("utf-8", "replace").split())
    for name in ("batches.meta", "meta"):
        if name in files:
            meta = _pickle(f"{source}: {name}", files[name])
            names = meta.get("label_names", meta.get("fine_label_names"))
            if isinstance(names, list):
                return tuple(
                    n.decode("utf-8", "replace") if isinstance(n, bytes) else str(n) for n in names
                )
    return None
