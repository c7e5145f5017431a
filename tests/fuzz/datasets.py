"""Data sets in every form, mutated, and what is told and made of them before a training."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from model.data import load, validation_split
from model.data.sheet import sheet
from model.data.summary import summarise
from tests.fuzz.content import as_gz, as_npy, as_png, as_text, as_zip, damaged
from tests.fuzz.subject import Subject

IMAGES = np.random.default_rng(0).integers(0, 256, (24, 6, 5), dtype=np.uint8)
LABELS = (np.arange(24) % 3).astype(np.uint8)


def _use(folder: Path) -> None:
    (path,) = folder.iterdir()
    data = load(path)
    summarise(data).as_dict()
    sheet(data)
    validation_split(data)


def _make_folder(folder: Path) -> None:
    for n, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        path = (
            folder / "pets" / f"class{label}" / f"{n}.{('png', 'bmp', 'jpg', 'gif', 'tif')[n % 5]}"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


def _make_npz(folder: Path) -> None:
    np.savez_compressed(
        folder / "set.npz", x_train=IMAGES[:18, ..., None], y_train=LABELS[:18],
        x_test=IMAGES[18:, ..., None], y_test=LABELS[18:],
    )  # fmt: skip


def _make_arrays(folder: Path) -> None:
    (folder / "set").mkdir()
    for name, array in (
        ("x_train", IMAGES[:18]), ("y_train", LABELS[:18]), ("x_test", IMAGES[18:]),
        ("y_test", LABELS[18:]),
    ):  # fmt: skip
        np.save(folder / "set" / f"{name}.npy", array)


def _idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def _make_idx(folder: Path) -> None:
    (folder / "set").mkdir()
    for part, at in (("train", slice(18)), ("t10k", slice(18, None))):
        path = folder / "set" / f"{part}-images-idx3-ubyte"
        path.with_suffix(".gz").write_bytes(gzip.compress(_idx(IMAGES[at])))
        path = folder / "set" / f"{part}-labels-idx1-ubyte"
        path.write_bytes(_idx(LABELS[at]))


def _make_table(folder: Path) -> None:
    rows = ["width,height,colour,name"]
    rows += [f"{n % 7}.5,{n},{n * n % 11},{'abc'[n % 3]}" for n in range(60)]
    (folder / "set.csv").write_text("\n".join(rows) + "\n")


def _make_cifar(folder: Path) -> None:
    batch = np.random.default_rng(1).integers(0, 99, (6, 3072), dtype=np.uint8)
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
        names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta"]
        for name in names:
            rows = {b"data": batch, b"labels": [0, 1, 2, 0, 1, 2], b"batch_label": b"x"}
            meta = {b"label_names": [b"a", b"b", b"c"], b"num_vis": 3072}
            content = pickle.dumps(meta if name.endswith("meta") else rows, 2)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


SUBJECTS = (
    Subject(
        "images in folders", _make_folder, {"pets/*/*.png": as_png, "pets/*/*": damaged}, _use,
        weight=3,
    ),
    Subject("npz", _make_npz, {"set.npz": as_zip(as_npy)}, _use, weight=2),
    Subject("npy in a folder", _make_arrays, {"set/*.npy": as_npy}, _use, weight=2),
    Subject("idx", _make_idx, {"set/*.gz": as_gz(damaged), "set/*-ubyte": damaged}, _use, weight=2),
    Subject("csv", _make_table, {"set.csv": as_text}, _use, weight=2),
    Subject("cifar", _make_cifar, {"*.gz": as_gz(damaged)}, _use, weight=2),
)  # fmt: skip
