"""Loading: fixed splits, real file formats on small fixtures, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from model import data
from model.data import DataError


def idx(array: np.ndarray) -> bytes:
    head = b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small IDX folder, half of it compressed."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 12), ("t10k", 6)):
        images = idx(rng.integers(0, 256, (n, 4, 3)))
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(n) % 3))
    return tmp_path


def refused(name: object) -> str:
    with pytest.raises(DataError) as error:
        data.load(str(name))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_digits_split_is_fixed_and_stratified() -> None:
    dataset = data.load("digits")
    assert dataset.train_images.shape == (1437, 8, 8, 1)
    assert dataset.test_images.shape == (360, 8, 8, 1)
    assert dataset.train_images.dtype == np.uint8
    assert dataset.train_images.max() == 16 <= dataset.format.hi
    assert np.bincount(dataset.test_labels).min() >= 34
    digest = hashlib.sha256(
        dataset.test_images.tobytes() + dataset.test_labels.tobytes()
    ).hexdigest()
    assert digest[:12] == "3ea49a6c5c1f"


def test_validation_split_takes_from_training_only() -> None:
    whole = data.load("digits")
    part = data.validation_split(whole)
    assert len(part.train_images) + len(part.test_images) == 1437
    assert np.bincount(part.test_labels).min() >= 13
    again = data.validation_split(whole)
    assert np.array_equal(part.test_images, again.test_images)
    rows = {image.tobytes() for image in whole.train_images}
    assert all(image.tobytes() in rows for image in part.test_images)


def test_idx_folder(folder: Path) -> None:
    dataset = data.load(folder)
    assert dataset.train_images.shape == (12, 4, 3, 1)
    assert dataset.test_labels.tolist() == [0, 1, 2] * 2
    assert dataset.classes == ("0", "1", "2")


def test_idx_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(data.FASHION_VARIABLE, str(folder))
    assert "its sha256 is not that of the official file" in refused("fashion-mnist")
    labels = folder / "train-labels-idx1-ubyte"
    whole = labels.read_bytes()
    labels.write_bytes(whole[:-1])
    assert "11 bytes for shape (12,): truncated" in refused(folder)
    labels.write_bytes(b"PNG")
    assert "no IDX file of unsigned bytes" in refused(folder)
    labels.write_bytes(idx(np.arange(5)))
    assert "train images (12, 4, 3) and labels (5,) must match" in refused(folder)
    labels.unlink()
    assert "no train-labels-idx*-ubyte or .gz" in refused(folder)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8b\x08")
    assert "cannot be read" in refused(folder)


def test_missing_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(data.FASHION_VARIABLE, str(tmp_path))
    assert "`apt install dataset-fashion-mnist`" in refused("fashion-mnist")
    assert "no such data set; give digits, fashion-mnist, wine, breast-cancer" in refused("nowhere")
    assert "nothing is downloaded: fetch it first; give" in refused("https://example.org/a.csv")


def test_fashion_mnist() -> None:
    if not data.FASHION_FOLDER.exists():
        pytest.skip("dataset-fashion-mnist is not installed")
    dataset = data.load("fashion-mnist")
    assert dataset.train_images.shape == (60_000, 28, 28, 1)
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10
    assert dataset.classes[9] == "Ankle boot"
    assert dataset.flips


def test_npz(tmp_path: Path) -> None:
    images, labels = np.arange(20 * 12, dtype=np.uint8).reshape(20, 4, 3), np.arange(20) % 2
    path = tmp_path / "two.npz"
    np.savez(path, x_train=images, y_train=labels)
    dataset = data.load(path)
    assert dataset.train_images.shape == (16, 4, 3, 1)
    assert dataset.test_images.shape == (4, 4, 3, 1)
    np.savez(path, x_train=images, y_train=labels, x_test=images[:5], y_test=labels[:5])
    assert len(data.load(path).test_images) == 5
    np.savez(path, x_train=images / np.float32(255), y_train=labels - 1)
    again = data.load(path)
    assert np.array_equal(again.train_images, dataset.train_images)
    assert again.classes == ("-1", "0")
    np.savez(path, features=images, labels=labels)
    assert np.array_equal(data.load(path).train_images, dataset.train_images)
    np.savez(path, images=images)
    assert "no arrays x_train and y_train, or x and y of all examples; it has images" in refused(
        path
    )
    path.write_bytes(b"PK\3\4")
    assert "cannot be read as .npz" in refused(path)


def test_image_folder(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for n in range(5):
            pixels = np.full((4, 6, 3), 10 * label + n, np.uint8)
            image.fromarray(pixels).save(tmp_path / name / f"{n}.png")
    dataset = data.load(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert dataset.train_images.shape == (8, 4, 6, 1)
    assert {int(v) for v in dataset.train_images[dataset.train_labels == 1].flat} <= set(
        range(10, 15)
    )
    image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "dog" / "small.png")
    assert "small.png: is 2 × 2 pixels, others are 4 × 6" in refused(tmp_path)
    (tmp_path / "dog" / "small.png").write_bytes(b"no image")
    assert "cannot be read as an image" in refused(tmp_path)
    for file in (tmp_path / "dog").iterdir():
        file.unlink()
    assert "dog: no images" in refused(tmp_path)
    (tmp_path / "dog").rmdir()
    assert "1 folders with images; a data set needs two or more" in refused(tmp_path)
    assert "are of one class: give the folder above it" in refused(tmp_path / "cat")
    assert "no data set of a form that is read; give" in refused(tmp_path / "cat" / "0.png")


def test_paths_that_the_system_refuses(tmp_path: Path) -> None:
    assert "cannot be read (File name too long)" in refused("x" * 5000)
    assert "no path; a path holds no zero byte" in refused("a\0b")
    (tmp_path / "letters.data").write_text("1,2,a\n" * 9)
    assert "or give one of its files, as letters.data" in refused(tmp_path)
