"""Folders of images: splits, archives, what systems leave behind, and what is refused."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model import data
from tests.support.data_files import grey, image_folder, refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return image_folder(
        tmp_path / "set", {"cat": [grey(n) for n in range(1, 7)], "dog": [grey(9)] * 6}
    )


def test_hidden_files_and_folders_are_no_data(folder: Path) -> None:
    plain = data.load(folder)
    for name in (".ipynb_checkpoints", "__MACOSX", "cat/.thumbs"):
        image_folder(folder, {name: [grey(77)] * 3})
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "notes.md"):
        (folder / "cat" / name).write_bytes(b"\0")
    assert data.load(folder).digest == plain.digest
    assert data.load(folder).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("parts", "tests", "said"),
    [
        (("train", "test"), 4, ""),
        (("train", "val"), 4, "the validation part is the test part"),
        (("Training", "valid", "testing"), 4, "4 validation images joined the training part"),
    ],
)
def test_splits(tmp_path: Path, parts: tuple[str, ...], tests: int, said: str) -> None:
    rows = {
        f"{part}/{name}": [grey(10 * n + label)] * (4 if n == 0 else 2)
        for n, part in enumerate(parts, 0)
        for label, name in enumerate(("cat", "dog"))
    }
    dataset = data.load(image_folder(tmp_path, rows))
    assert len(dataset.test_labels) == tests
    assert len(dataset.train_labels) == (8 if len(parts) == 2 else 12)
    last = 10 * (len(parts) - 1)
    assert {int(image.max()) for image in dataset.test_images} == {last, last + 1}
    assert any(said in note for note in (*dataset.notes, ""))


def test_a_zip_is_read_in_place_and_equals_its_folder(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"top/{file.relative_to(folder)}")
        archive.writestr("__MACOSX/top/cat/._0.png", b"\0")
    assert data.load(path).digest == data.load(folder).digest
    assert data.load(path).source == str(path)


def test_classes_two_folders_deep(tmp_path: Path) -> None:
    rows = {f"{a}/{c}": [grey(9)] * 3 for a in ("greek", "latin") for c in ("one", "two")}
    dataset = data.load(image_folder(tmp_path, rows))
    assert dataset.classes == ("greek/one", "greek/two", "latin/one", "latin/two")


def test_numbered_classes_stand_in_the_order_of_numbers(tmp_path: Path) -> None:
    rows = {str(n): [grey(n)] * 3 for n in (10, 2, 1)}
    dataset = data.load(image_folder(tmp_path, rows))
    assert dataset.classes == ("1", "2", "10")
    assert dataset.train_images[dataset.train_labels == 2].max() == 10


def test_a_fifo_is_refused_without_opening_it(folder: Path) -> None:
    os.mkfifo(folder / "cat" / "pipe.png")
    assert "pipe.png: is no plain file" in refused(folder)


def test_links_in_circles_and_broken_ones(folder: Path) -> None:
    plain = data.load(folder).digest
    (folder / "cat" / "again").symlink_to(folder, target_is_directory=True)
    (folder / "loop").symlink_to(folder / "loop")
    assert data.load(folder).digest == plain
    (folder / "dog" / "gone.png").symlink_to("nowhere.png")
    assert "gone.png: cannot be read" in refused(folder)


def test_linked_classes_are_read(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "linked"
    other.mkdir()
    for name in ("cat", "dog"):
        (other / name).symlink_to(folder / name, target_is_directory=True)
    assert data.load(other).digest == data.load(folder).digest


def test_refused(tmp_path: Path, folder: Path) -> None:
    assert "0 folders with images" in refused(tmp_path / "set" / "cat")
    (folder / "cow").mkdir()
    assert "cow: no images (.png" in refused(folder)
    image_folder(folder, {"cow": [grey(1)]})
    assert "class cow has 1 training images; at least 3 are needed" in refused(folder)
    image_folder(folder, {"cow": [grey(1)] * 3, "cow/brown": [grey(1)]})
    assert "class cow holds images and the folder cow/brown" in refused(folder)
    split = {"train/a": [grey(1)] * 4, "train/b": [grey(2)] * 4, "test/a": [grey(1)]}
    top = image_folder(tmp_path / "split", split)
    assert len(data.load(top).test_labels) == 1
    image_folder(top, {"test/c": [grey(3)]})
    assert "class c is in the test part only" in refused(top)
    image_folder(tmp_path / "one", {"a": [grey(1)] * 4})
    assert "1 folders with images" in refused(tmp_path / "one")
    sizes = {f"train/{c}": [grey(1)] * 4 for c in "ab"} | {"test/a": [grey(1, (4, 4))] * 4}
    assert "test images are 4 × 4 × 1, training ones 2 × 3 × 1" in refused(
        image_folder(tmp_path / "sizes", sizes)
    )
    flat = image_folder(tmp_path / "flat", {c: [grey(0)] * 4 for c in "ab"})
    assert "all values are 0; there is nothing to learn from" in refused(flat)


def test_a_zip_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/0.png", bytes(80 << 20))
        archive.writestr("b/0.png", b"\0")
    assert "expand to 80 MiB; no data compress by more than 200" in refused(path)


def test_the_limit_can_be_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = {c: [grey(1, (512, 512))] * 4 for c in "ab"}  # 8 images: 2 MiB
    top = image_folder(folder.parent / "large", shape)
    assert len(data.load(top).train_labels) == 6
    monkeypatch.setenv("SHIFTADD_DATA_LIMIT", "1")
    assert "2 MiB of numbers, more than 1 MiB" in refused(top)


def test_loading_repeats_itself(folder: Path) -> None:
    first, again = data.load(folder), data.load(folder)
    assert first.digest == again.digest
    assert np.array_equal(first.test_images, again.test_images)


def test_images_that_expand_without_end_are_refused(tmp_path: Path) -> None:
    blank = {c: [grey(1, (2048, 2048))] * 12 for c in "ab"}
    assert "expand to 96 MiB; no data compress by more than 200" in refused(
        image_folder(tmp_path, blank)
    )
