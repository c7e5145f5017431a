"""Built-in architectures: their ends come from the data, and there is one for every shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import arch, counts, zoo
from model.arch import Architecture, ArchitectureError, Block
from model.data import Dataset
from model.net import Net, export
from model.spec import Format
from tests.support.datasets import BARS

SHAPES = ((8, 8, 1), (28, 28, 1), (32, 32, 3), (64, 48, 3), (40, 101, 1), (1, 128, 1), (2, 2, 1))
SMALL = Architecture("mine", (8, 8, 1), (Block("conv", "add", 4), Block("dense", channels=3)))


def of_shape(shape: tuple[int, int, int], classes: int = 4, *, table: bool = False) -> Dataset:
    images = np.zeros((classes, *shape), np.uint8)
    names = tuple(f"c{n}" for n in range(classes))
    return replace(
        BARS,
        name="other",
        train_images=images,
        classes=names,
        table=table,
        format=Format(8, False, 8),
    )


@pytest.mark.parametrize("name", zoo.NAMES)
def test_weights_are_counted_as_they_are_trained(name: str) -> None:
    architecture = zoo.load(name)
    assert counts.weights_of(architecture) == export(Net(architecture)).weight_count


@pytest.mark.parametrize("shape", SHAPES)
def test_families_fit_images_of_any_size(shape: tuple[int, int, int]) -> None:
    data = of_shape(shape, classes=7)
    rows = {row["name"]: row for row in zoo.listing(data)}
    families = [name for name, family in zoo.FAMILIES.items() if not family.table]
    assert set(families) <= rows.keys()
    assert not any(name.startswith("table") for name in rows)
    for name in families:
        made = zoo.for_data(name, data)
        assert (made.name, made.shape, made.input_bits, made.classes) == (name, shape, 8, 7)
        assert rows[name]["weights"] == counts.weights_of(made) < 200_000
        export(Net(made))
    assert rows["image_small"]["weights"] < rows["image_hybrid"]["weights"]


def test_families_of_tables_are_as_wide_as_there_are_classes() -> None:
    few, many = (zoo.new(of_shape((1, 1, 16), n, table=True)) for n in (2, 26))
    assert [block.channels for block in few.blocks] == [64, 32, 2]
    assert [block.channels for block in many.blocks] == [128, 64, 26]
    assert list(arch.kinds_used(many)) == ["mult", "shift", "mult"]
    assert zoo.new(of_shape((28, 28, 1), 10)).blocks == zoo.load("fashion_hybrid").blocks


def test_ends_come_from_the_data(tmp_path: Path) -> None:
    data = of_shape((28, 28, 3))
    made = zoo.for_data("digits_hybrid", data)
    assert (made.shape, made.input_bits, made.classes) == ((28, 28, 3), 8, 4)
    assert made.blocks[:-1] == zoo.load("digits_hybrid").blocks[:-1]
    path = arch.save(SMALL, tmp_path / "mine.json")
    assert zoo.for_data(path, data) == zoo.for_data(SMALL, data) == SMALL  # as they are
    for given in (path, SMALL):
        assert zoo.for_data(given, data, fit_classes=True).classes == 4
        assert zoo.for_data(given, data, fit_classes=True).shape == (28, 28, 3)
    assert zoo.new(data, "digits_mlp", "mine").name == "mine"


def test_what_is_too_small_says_what_fits() -> None:
    data = of_shape((1, 1, 16), table=True)
    with pytest.raises(ArchitectureError) as error:
        zoo.for_data("digits_conv_add", data)
    assert str(error.value) == (
        "digits_conv_add: block 0 (conv): kernel 3 is larger than what is left of the image; "
        "other is (1, 1, 16): table_hybrid is made for it"
    )
