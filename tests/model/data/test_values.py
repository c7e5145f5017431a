"""Values of arrays of any type to 8 bits: what range is meant, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest

from model import data
from model.data import DataError, Dataset

BYTES = np.arange(0, 240, dtype=np.uint8).reshape(20, 3, 4)
BYTES[:, 0, 0], BYTES[:, 0, 1] = 0, 255
Y = np.arange(20) % 2


def of(values: np.ndarray, value_range: tuple[float, float] | None = None) -> Dataset:
    return data.from_arrays(values, Y, values, Y, value_range=value_range)


@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "i4", "i8", "f4", "f8"])
def test_bytes_of_any_type_stay(kind: str) -> None:
    dataset = of(BYTES.astype(kind))
    assert np.array_equal(dataset.train_images[..., 0], BYTES)
    assert dataset.scaling is None
    assert not any("rounded" in note for note in dataset.notes)
    halves = of(BYTES + np.where((BYTES > 0) & (BYTES < 255), 0.25, 0))
    assert np.array_equal(halves.train_images, dataset.train_images)
    assert "float64 values 0 to 255 were rounded" in halves.notes


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_zero_to_one(kind: str) -> None:
    dataset = of((BYTES / 255).astype(kind))
    assert np.array_equal(dataset.train_images[..., 0], BYTES)
    assert any("values 0 to 1 (by sight) became 0 to 255" in note for note in dataset.notes)


def test_minus_one_to_one_and_standardised() -> None:
    assert np.array_equal(of(BYTES / 127.5 - 1).train_images[..., 0], BYTES)
    dataset = of((BYTES - 70.0) / 60)
    assert np.array_equal(dataset.train_images[..., 0], BYTES)
    assert any("(the training part's) became" in note for note in dataset.notes)
    assert dataset.scaling is not None
    assert dataset.scaling.apply([-70 / 60, 185 / 60, 9.9]).tolist() == [0, 255, 255]


def test_deeper_integers() -> None:
    assert np.array_equal(of(BYTES.astype(np.uint16) * 257).train_images[..., 0], BYTES)
    assert of(BYTES.astype(np.int32) * 1000).train_images.max() == 255
    signed = (BYTES.astype(np.int16) - 128).astype(np.int8)
    assert np.array_equal(of(signed).train_images[..., 0], BYTES)
    twelve = BYTES.astype(np.uint16) * 16
    assert any("of which only 17 steps are used" in note for note in of(twelve).notes)
    assert np.array_equal(of(twelve, (0, 16 * 255)).train_images[..., 0], BYTES)


def test_values_that_vanish_are_refused() -> None:
    """16 bits that hold no more than 100 of 65,535 would all become 0."""
    deep = (BYTES // 3).astype(np.uint16)
    deep[0, 0, 0] = 300
    with pytest.raises(DataError, match=r"values become 0.* say which range they have"):
        data.from_arrays(deep // 3, Y, deep, Y, value_range=(0, 65535))
    assert of(deep, (0, 300)).train_images.max() == 255


def test_booleans() -> None:
    assert set(np.unique(of(BYTES > 99).train_images)) == {0, 255}


def test_channels_first() -> None:
    colour = np.stack([BYTES, BYTES // 2, BYTES // 3], 1)
    colour = np.concatenate([colour, colour], 3)
    dataset = of(colour)
    assert dataset.shape == (3, 8, 3)
    assert np.array_equal(dataset.train_images, colour.transpose(0, 2, 3, 1))
    assert "channels stood before height and width" in dataset.notes


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (np.where(BYTES == 255, np.nan, BYTES), "hold NaN or infinity"),
        (np.where(BYTES == 255, np.inf, BYTES), "hold NaN or infinity"),
        (np.zeros((20, 3, 4)), "all values are 0; there is nothing to learn from"),
        (np.zeros((20, 0, 4)), r"images are 0 × 4; no side may be zero"),
        (np.zeros((20, 1, 1, 1, 1)), r"must be rows \(N, features\) or images"),
        (np.zeros((0, 3, 4)), "must match"),
        (BYTES.astype("U3"), "must be numbers"),
    ],
)
def test_refused(values: np.ndarray, rule: str) -> None:
    with pytest.raises(DataError, match=rule):
        of(values)


def test_parts_of_two_ranges_and_sizes() -> None:
    with pytest.raises(DataError, match=r"test values 0 to 255, training values 0 to 1; both"):
        data.from_arrays(BYTES / 255, Y, BYTES.astype(float), Y)
    with pytest.raises(DataError, match=r"test values 0 to 1, training values 0 to 255; both"):
        data.from_arrays(BYTES, Y, BYTES / 255, Y)
    standard = (BYTES - 70.0) / 60
    with pytest.raises(DataError, match=r"training values -1.16667 to 3.08333; both parts"):
        data.from_arrays(standard, Y, 10 * standard, Y)
    beyond = data.from_arrays(BYTES / 255, Y, BYTES / 255 - 0.01, Y)
    assert any("test values beyond are clipped" in note for note in beyond.notes)
    with pytest.raises(DataError, match=r"test images are 3 × 3, training ones 3 × 4"):
        data.from_arrays(BYTES, Y, BYTES[:, :, 1:], Y)
    with pytest.raises(DataError, match="values 0 to 255 are beyond the range 0 to 99"):
        of(BYTES, (0, 99))
    with pytest.raises(DataError, match="no test images"):
        data.from_arrays(BYTES, Y, BYTES[:0], Y[:0])
    with pytest.raises(DataError, match="x_test and y_test must be given together"):
        data.from_arrays(BYTES, Y, BYTES)
