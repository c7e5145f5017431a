"""Damaged files of every kind are understood or refused in one line, in little time and memory.

Some of each kind; what CI has no time for runs in the fuzz harness.
"""

from __future__ import annotations

import gzip
import os
import pickle
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from model import data
from model.data import DataError
from model.data.sheet import sheet
from model.data.summary import summarise
from tests.support.data_files import idx, image_folder

RNG = np.random.default_rng(7)
X = RNG.integers(0, 256, (12, 6, 5), dtype=np.uint8)
Y = np.arange(12) % 2
ROUNDS = int(os.environ.get("ROUNDS", "30"))
SLOWEST, MOST = 5, 200 << 20


def npz(top: Path) -> Path:
    np.savez(top / "d.npz", x_train=X, y_train=Y)
    return top / "d.npz"


def packed_npz(top: Path) -> Path:
    np.savez_compressed(top / "d.npz", x_train=X / 255, y_train=np.eye(2)[Y])
    return top / "d.npz"


def table(top: Path) -> Path:
    lines = [",".join(map(str, [*row, "ab"[n % 2]])) for n, row in enumerate(X[:, 0].tolist())]
    (top / "d.csv").write_text("a,b,c,d,e,label\n" + "\n".join(lines))
    return top / "d.csv"


def idx_folder(top: Path) -> Path:
    for part in ("train", "t10k"):
        (top / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(X)))
        (top / f"{part}-labels-idx1-ubyte").write_bytes(idx(Y))
    return top


def cifar(top: Path) -> Path:
    for name in ("data_batch_1", "test_batch"):
        rows = RNG.integers(0, 256, (6, 3072), dtype=np.uint8)
        batch = {"data": rows, "labels": [0, 1] * 3}
        (top / name).write_bytes(pickle.dumps(batch, 2))
    return top


def cifar_archive(top: Path) -> Path:
    folder = top / "in"
    folder.mkdir()
    with tarfile.open(top / "d.tar.gz", "w:gz") as archive:
        archive.add(cifar(folder), "cifar-10-batches-py")
    return top / "d.tar.gz"


def npy_folder(top: Path) -> Path:
    np.save(top / "x_train.npy", X)
    np.save(top / "y_train.npy", Y)
    return top


def pictures(end: str, mode: str) -> Callable[[Path], Path]:
    def make(top: Path) -> Path:
        shots = [Image.fromarray(x).convert(mode) for x in X]
        return image_folder(top, {"a": shots[:4], "b": shots[4:8]}, end)

    return make


def packed(top: Path) -> Path:
    folder = pictures(".png", "L")(top / "in")
    with zipfile.ZipFile(top / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, str(file.relative_to(folder)))
    return top / "d.zip"


KINDS: dict[str, Callable[[Path], Path]] = {
    "npz": npz, "packed_npz": packed_npz, "table": table, "idx": idx_folder, "cifar": cifar,
    "tar": cifar_archive, "npy": npy_folder, "zip": packed, "png": pictures(".png", "L"),
    "gif": pictures(".gif", "P"), "bmp": pictures(".bmp", "RGB"), "jpg": pictures(".jpg", "L"),
    "tif": pictures(".tif", "I;16"), "webp": pictures(".webp", "RGB"),
    "ppm": pictures(".ppm", "RGB"), "la": pictures(".png", "LA"),
}  # fmt: skip


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Bits, bytes, or a stretch of a file changed, cut off or repeated."""
    out, length = bytearray(content), len(content)
    if not length:
        return b"\0"
    at, other = sorted(
        int(n) for n in rng.integers(0, min(length, 400 if rng.random() < 0.6 else length), 2)
    )
    match int(rng.integers(0, 6)):
        case 0:
            out[at] ^= 1 << int(rng.integers(0, 8))
        case 1:
            out[at] = int(rng.choice([0, 1, 127, 128, 255]))
        case 2:
            out = out[:at]
        case 3:
            del out[at:other]
        case 4:
            out[at:at] = out[at:other]
        case _:
            out[at : at + 4] = bytes(rng.choice([0, 255], 4).tolist())
    return bytes(out)


NUMBERS = ["u1", "i1", "u2", ">i4", "i8", "u8", "f2", "f4", "f8", "g", "b1"]
OTHERS = ["U3", "S2", "c8", "O", "M8[s]"]


def arrays(kinds: list[str], least: int, most: int, side: int) -> st.SearchStrategy[np.ndarray]:
    """Of any of the types, with that many dimensions of `side` to 5."""
    shapes = hnp.array_shapes(min_dims=least, max_dims=most, min_side=side, max_side=5)
    return st.sampled_from(kinds).flatmap(lambda kind: hnp.arrays(np.dtype(kind), shapes))


@settings(max_examples=80, deadline=None)
@given(
    arrays(NUMBERS + OTHERS, 0, 5, 0), arrays(NUMBERS + OTHERS, 0, 3, 0),
    st.none() | arrays(NUMBERS, 0, 4, 0),
)  # fmt: skip
def test_any_arrays(values: np.ndarray, labels: np.ndarray, tests: np.ndarray | None) -> None:
    with pytest.raises(DataError) as refusal:
        data.from_arrays(values, labels, tests, None if tests is None else labels)
    assert "\n" not in str(refusal.value)


@settings(max_examples=80, deadline=None)
@given(arrays(NUMBERS, 2, 4, 1))
def test_any_numbers(values: np.ndarray) -> None:
    """Images or rows of any numbers, some of which are the same or not finite."""
    values = np.concatenate([values] * 6)
    labels = np.arange(len(values)) % 2
    try:
        dataset = data.from_arrays(values, labels)
    except DataError as error:
        said = str(error)
        event("refused")
    else:
        said = ""
        event("taken")
        assert dataset.train_images.dtype == np.uint8
        assert dataset.train_images.max() > dataset.train_images.min()
        assert sheet(dataset)
        assert summarise(dataset).lines()
    assert "\n" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_understood_or_refused(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path)
    whole = data.load(path)
    assert len(whole.classes) == 2
    files = [file for file in sorted(tmp_path.rglob("*")) if file.is_file()]
    files = [path] if path.is_file() else files
    rng = np.random.default_rng(list(kind.encode()))
    refusals = 0
    for _ in range(ROUNDS):
        file = files[int(rng.integers(0, len(files)))]
        content = file.read_bytes()
        file.write_bytes(damaged(content, rng))
        refusals += refuses(path)
        file.write_bytes(content)
    assert data.load(path).digest == whole.digest
    assert refusals


def refuses(path: Path) -> bool:
    """Whether a data set is refused; else that all of it works. Bounded in time and memory."""
    began = time.monotonic()
    tracemalloc.start()
    try:
        dataset = data.load(path)
        assert sheet(dataset).startswith(b"\x89PNG")
        assert summarise(dataset).lines()
        assert dataset.train_images.dtype == np.uint8
        assert dataset.train_labels.max() < len(dataset.classes) <= 1000
    except DataError as error:
        said = str(error)
    else:
        said = ""
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.monotonic() - began < SLOWEST
        assert peak < MOST
    assert "\n" not in said, repr(said)
    assert len(said) < 600, said
    return bool(said)
