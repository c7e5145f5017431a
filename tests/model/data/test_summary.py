"""What is said of a data set, in numbers, sentences and a picture."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import data
from model.data import Dataset
from model.data.sheet import sheet
from model.data.summary import summarise
from tests.support.data_files import grey, image_folder


def unbalanced(tmp_path: Path) -> Dataset:
    return data.load(
        image_folder(tmp_path, {"rare": [grey(40)] * 5, "usual": [grey(n) for n in range(20)]})
    )


def test_numbers(tmp_path: Path) -> None:
    dataset = unbalanced(tmp_path)
    summary = summarise(dataset)
    counts = [(one.name, one.train, one.test) for one in summary.classes]
    assert counts == [("rare", 4, 1), ("usual", 16, 4)]
    assert (summary.train, summary.test, summary.shape, summary.bits) == (20, 5, (2, 3, 1), 8)
    assert (summary.low, summary.high) == (0, 40)
    assert summary.unbalanced
    assert summary.majority == 0.8
    assert summary.source == str(tmp_path)
    assert summary.digest == dataset.digest
    assert json.loads(json.dumps(summary.as_dict())) == summary.as_dict()
    assert summary.as_dict()["classes"][0] == {"name": "rare", "train": 4, "test": 1}
    assert summary.lines()[:3] == [
        f"{tmp_path.name}: 20 images to train and 5 to test, 2 × 3 pixels, grey, in 2 classes",
        "values 0 to 40, 8 bits",
        "unbalanced: 16 images of class usual, 4 of class rare; always saying "
        "the largest class is right in 80.0% of the test part",
    ]
    assert "no test part: 5 of 25, the same share of each class, were held back" in summary.notes


def test_a_table_and_what_is_balanced() -> None:
    summary = summarise(data.load("breast-cancer"))
    assert summary.table
    assert not summary.unbalanced
    assert summary.features[0] == "mean radius"
    assert summary.lines()[0] == (
        "breast-cancer: 455 rows to train and 114 to test, of 30 features, in 2 classes"
    )


def test_the_sheet_shows_examples_of_each_class(tmp_path: Path) -> None:
    values = np.zeros((20, 4, 4, 1), np.uint8)
    values[:, 1, 1] = np.where(np.arange(20) % 2, 255, 100)[:, None]
    dataset = data.from_arrays(values, np.arange(20) % 2, classes=["dim", "bright"])
    image = Image.open(io.BytesIO(sheet(dataset)))
    assert image.format == "PNG"
    pixels = np.asarray(image.convert("L"))
    rows = np.array_split(pixels, 2)
    assert (rows[0] == 100).sum() >= 8 * 16 * 16  # eight training images, a pixel is 16 × 16
    assert (rows[1] == 100).sum() < 16 * 16
    assert sheet(dataset) == sheet(dataset)


@pytest.mark.parametrize("name", ["wine", "digits", "sounds"])
def test_sheets_are_small_pictures(name: str) -> None:
    image = Image.open(io.BytesIO(sheet(data.load(name))))
    assert image.width < 1400
    assert image.height < 1000


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 300, 3), (700, 4, 2), (1, 1, 90), (5, 5, 7)])
def test_sheets_of_any_shape_and_many_classes(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (180, *shape), dtype=np.uint8)
    names = [f"class {n} [/bold]{'x' * n}" for n in range(60)]
    dataset = data.from_arrays(values, np.arange(180) % 60, classes=names)
    for one in (dataset, replace(dataset, table=shape[:2] == (1, 1))):
        image = Image.open(io.BytesIO(sheet(one)))
        assert image.width < 6000
        assert image.height < 12000
