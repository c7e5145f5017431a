"""Damaged files of every kind are understood or refused in one line, in little time and memory.

Some of each kind; what CI has no time for runs in the fuzz harness.
"""

from __future__ import annotations

import gzip
import os
import pickle
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
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
    "npy": npy_folder, "zip": packed, "png": pictures(".png", "L"), "gif": pictures(".gif", "P"),
    "bmp": pictures(".bmp", "RGB"), "jpg": pictures(".jpg", "L"), "tif": pictures(".tif", "I;16"),
    "webp": pictures(".webp", "RGB"), "ppm": pictures(".ppm", "RGB"), "la": pictures(".png", "LA"),
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
