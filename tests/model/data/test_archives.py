"""Arrays in .npz and .npy, and CIFAR's archives: names, sizes by headers, nothing unpickled."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import data
from model.data.limits import DataError
from model.data.npz import read_npz
from model.data.plain_pickle import loads
from tests.support.data_files import idx, refused

X = np.random.default_rng(0).integers(0, 256, (20, 5, 4), dtype=np.uint8)
Y = np.arange(20) % 2


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_names_of_medmnist(tmp_path: Path) -> None:
    labels = Y[:, None].astype(np.uint8)
    arrays = {f"{part}_images": X for part in ("train", "val", "test")}
    arrays |= {f"{part}_labels": labels for part in ("train", "val", "test")}
    dataset = data.load(save(tmp_path / "pneumonia.npz", **arrays))
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (40, 20)
    assert "20 validation images joined the training part" in dataset.notes
    assert dataset.shape == (5, 4, 1)
    several = arrays | {f"{part}_labels": np.ones((20, 3), np.uint8) for part in ("train", "val")}
    assert "must be one class an image, or one-hot" in refused(save(tmp_path / "m.npz", **several))


def test_class_names_in_an_npz(tmp_path: Path) -> None:
    for names in (np.array(["off", "on"]), np.array([b"off", b"on"])):
        path = save(tmp_path / "n.npz", x_train=X, y_train=Y, class_names=names)
        assert data.load(path).classes == ("off", "on")


def test_folder_of_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "x_train.npy", np.asfortranarray(X))
    np.save(tmp_path / "y_train.npy", Y)
    assert data.load(tmp_path).digest == data.from_arrays(X, Y).digest


def test_an_npz_is_bounded_by_its_headers(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as file:
            np.save(file, np.zeros((100, 1000, 1000), np.uint8))
    assert "expand to 95 MiB; no data compress by more than 200" in refused(path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**6)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", header.getvalue() + b"\0")
    assert "1 bytes for uint8 (1000000, 1000000): damaged" in refused(path)
    assert "Python objects, which are not read" in refused(
        save(path, x_train=X, y_train=np.array([{}, 1], object))
    )
    assert "test images without labels; add an array y_test" in refused(
        save(path, x_train=X, y_train=Y, x_test=X)
    )


def test_idx_of_any_rank_and_header(tmp_path: Path) -> None:
    colour = np.stack([X] * 3, -1)
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images.idx4-ubyte").write_bytes(idx(colour))
        (tmp_path / f"{part}-labels.idx1-ubyte.gz").write_bytes(gzip.compress(idx(Y)))
    assert data.load(tmp_path).shape == (5, 4, 3)
    nested = tmp_path / "data" / "MNIST" / "raw"  # as torchvision has it
    nested.mkdir(parents=True)
    for file in tmp_path.glob("*ubyte*"):
        (nested / file.name).write_bytes(file.read_bytes())
    assert data.load(tmp_path / "data").digest == data.load(tmp_path).digest
    big = b"\0\0\x08\x03" + b"\x7f\xff\xff\xff" * 3
    (tmp_path / "train-images.idx4-ubyte").write_bytes(big)
    assert "MiB of numbers, more than 1024 MiB" in refused(tmp_path)
    (tmp_path / "train-images.idx4-ubyte").write_bytes(big[:4] + b"\0\0\4\0" * 3)
    assert peak_of_refusal(tmp_path) < 1 << 20  # a gigabyte is said to be there
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(
            b"\0\0\x08\x03" + np.array([80, 1024, 1024], ">u4").tobytes() + bytes(80 << 20)
        )
    )
    (tmp_path / "train-images.idx4-ubyte").unlink()
    assert "expand to 80 MiB" in refused(tmp_path)


def test_a_header_that_says_it_is_long(tmp_path: Path) -> None:
    np.save(tmp_path / "y_train.npy", Y)
    (tmp_path / "x_train.npy").write_bytes(b"\x93NUMPY\2\0" + (500 << 20).to_bytes(4, "little"))
    assert peak_of_refusal(tmp_path) < 1 << 20


def test_an_array_is_in_memory_once(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, 500, 500)).astype(np.float32)
    path = save(tmp_path / "large.npz", x_train=values, y_train=np.arange(40) % 2)
    tracemalloc.start()
    read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.3 * values.nbytes


def peak_of_refusal(path: Path) -> int:
    """Bytes of memory that refusing a data set takes."""
    tracemalloc.start()
    refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def batches(folder: Path, binary: bool) -> Path:
    """CIFAR's files with six images each."""
    rng, folder = np.random.default_rng(1), folder / f"cifar-10-batches-{'bin' if binary else 'py'}"
    folder.mkdir()
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        rows, labels = rng.integers(0, 256, (6, 3072), dtype=np.uint8), [0, 1, 2] * 2
        if binary:
            records = np.concatenate([np.array(labels, np.uint8)[:, None], rows], 1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        else:
            batch = {b"data": rows, b"labels": labels, b"filenames": [b"x.png"] * 6}
            (folder / name).write_bytes(pickle.dumps(batch, 2))
    if binary:
        (folder / "batches.meta.txt").write_text("cat\ndog\nemu\n\n")
    else:
        (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["cat", "dog", "emu"]}))
    return folder


def test_cifar_in_all_its_forms(tmp_path: Path) -> None:
    python, binary = batches(tmp_path, False), batches(tmp_path, True)
    dataset = data.load(python)
    assert dataset.train_images.shape == (12, 32, 32, 3)
    assert dataset.classes == ("cat", "dog", "emu")
    first = np.random.default_rng(1).integers(0, 256, (6, 3072), dtype=np.uint8)[0]
    assert dataset.train_images[0, 0, 1].tolist() == [first[1], first[1025], first[2049]]
    assert data.load(binary).digest == dataset.digest
    assert data.load(tmp_path).digest == dataset.digest  # the folder that holds the archive's
    for form in (python, binary):
        path = tmp_path / f"{form.name}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(form, form.name)
        assert data.load(path).digest == dataset.digest
    path.write_bytes(path.read_bytes()[:-9000])
    assert "cannot be unpacked" in refused(path)
    (python / "test_batch").unlink()
    assert "2 training and 0 test batches" in refused(python)


def test_a_tar_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("readme.html")
        info.size = 80 << 20
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    assert "no data compress by more than 200" in refused(path)


class Evil:
    """Would call something when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("open('/tmp/never', 'w')",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_only_plain_pickles_are_read(protocol: int) -> None:
    array = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    plain = {"a": array, "b": [1, -2, 2.5, None, True, "é", b"x"], "c": (1, (2,), {})}
    again = loads(pickle.dumps(plain, protocol))
    assert np.array_equal(again["a"], array)
    assert (again["b"], again["c"]) == (plain["b"], plain["c"])
    for thing in (Evil(), {"data": Evil()}, Path("x"), eval, np.float64(1), np.array([{}])):
        with pytest.raises(DataError, match=r"which no plain array needs|plain numbers|no name"):
            loads(pickle.dumps(thing, protocol))


def test_pickles_that_grow_without_end_are_refused() -> None:
    nested = b"(" + b"2\x86" * 40 + b"."  # DUP is no plain opcode
    deep = b")" + b"q\x00h\x00\x86" * 60 + b"}h\x00K\x01s."  # 2^60 leaves as a key
    for content in (nested, deep, b"", b"\x80\x04.", b"cos\nsystem\n(S'ls'\ntR."):
        with pytest.raises(DataError):
            loads(content)
