"""Built-in data sets: shapes and contents are fixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model import data

FIXED = {
    "digits": ("723f17fc841b", (8, 8, 1), 1437, 360),
    "wine": ("63cc7cb03e32", (1, 1, 13), 142, 36),
    "breast-cancer": ("662f5dba8d0e", (1, 1, 30), 455, 114),
    "iris": ("35bc237efdbb", (1, 1, 4), 120, 30),
    "sounds": ("7bdba281c978", (16, 16, 1), 960, 240),
}


@pytest.mark.parametrize("name", FIXED)
def test_fixed(name: str) -> None:
    digest, shape, train, test = FIXED[name]
    dataset = data.load(name)
    assert dataset.digest[:12] == digest
    assert dataset.shape == shape
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (train, test)
    assert dataset.source == name
    assert dataset.table == (shape[:2] == (1, 1))
    assert not dataset.flips


def test_fashion_mnist_is_as_it_was() -> None:
    if not data.FASHION_FOLDER.exists():
        pytest.skip("dataset-fashion-mnist is not installed")
    dataset = data.load("fashion-mnist")
    assert dataset.digest[:12] == "3d7ad5e65cc0"
    assert dataset.flips


def test_names_of_features_and_classes() -> None:
    wine = data.load("wine")
    assert wine.features[0] == "alcohol"
    assert data.load("breast-cancer").classes == ("malignant", "benign")


def test_a_folder_of_that_name_is_reached_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    assert len(data.load("digits").train_labels) == 1437
    for path in ("./digits", Path("digits")):
        with pytest.raises(data.DataError, match="0 folders with images"):
            data.load(path)


def test_a_dataset_is_given_back() -> None:
    dataset = data.load("wine")
    assert data.load(dataset) is dataset


def test_the_digest_is_of_the_content() -> None:
    dataset = data.load("wine")
    renamed = replace(dataset, name="other", source="elsewhere", notes=(), features=())
    assert renamed.digest == dataset.digest
    assert replace(dataset, classes=("a", "b", "c")).digest != dataset.digest
    assert replace(dataset, test_labels=dataset.test_labels[::-1]).digest != dataset.digest
