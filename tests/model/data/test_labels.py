"""Labels of any kind: understood as classes from 0, or refused with the rule."""

from __future__ import annotations

import numpy as np
import pytest

from model import data
from model.data import DataError, Dataset

X = np.arange(24 * 6, dtype=np.uint8).reshape(24, 2, 3)
Y = np.arange(24) % 3


def of(labels: object, classes: list[str] | None = None) -> Dataset:
    return data.from_arrays(X, np.asarray(labels), classes=classes)


@pytest.mark.parametrize("kind", ["u1", "i1", ">i2", "u8", "i8", "f4", "f8"])
def test_any_type_of_number(kind: str) -> None:
    plain = of(Y)
    assert plain.classes == ("0", "1", "2")
    assert of(Y.astype(kind)).digest == plain.digest
    assert plain.train_labels.dtype == np.int64


def test_one_hot_and_columns() -> None:
    plain = of(Y)
    for kind in (bool, np.uint8, np.float32):
        dataset = of(np.eye(3)[Y].astype(kind))
        assert dataset.digest == plain.digest
        assert "one-hot labels of 3 columns became class numbers" in dataset.notes
    assert of(Y[:, None]).digest == plain.digest


@pytest.mark.parametrize("values", [(1, 2, 3), (5, 7, 300), (-1, 0, 1), (0, 2, 9)])
def test_from_one_and_with_gaps(values: tuple[int, ...]) -> None:
    dataset = of(np.array(values)[Y])
    assert np.array_equal(dataset.train_labels, of(Y).train_labels)
    assert dataset.classes == tuple(map(str, values))
    assert f"labels {', '.join(map(str, values))} became classes 0 to 2" in dataset.notes


def test_texts() -> None:
    names = np.array(["owl", "bee", "emu"])
    dataset = of(names[Y])
    assert dataset.classes == ("bee", "emu", "owl")
    assert dataset.classes[dataset.train_labels[0]] == names[0]
    assert of(names[Y].astype("S")).digest == dataset.digest
    assert of(Y.astype(str)).digest == of(Y).digest
    assert of(names[Y].astype(object)).digest == dataset.digest  # as of a pandas Series


def test_names_by_number() -> None:
    assert of(Y, ["a", "b", "c"]).classes == ("a", "b", "c")
    counted = of(Y + 1, ["a", "b", "c"])
    assert counted.classes == ("a", "b", "c")
    assert "labels count from 1: 1 is a" in counted.notes
    gap = of(np.array([0, 2, 3])[Y], ["a", "b", "c", "d"])
    assert gap.classes == ("a", "c", "d")
    assert "classes without a single image left out: b" in gap.notes
    with pytest.raises(DataError, match="label 2, but 2 class names"):
        of(Y, ["a", "b"])
    with pytest.raises(DataError, match="two classes are called 'a'"):
        of(Y, ["a", "a", "c"])


@pytest.mark.parametrize(
    ("labels", "rule"),
    [
        (np.where(Y == 2, 10**12, Y), "label 1000000000000 is beyond ±65535"),
        (np.where(Y == 2, 2.0**63, Y).astype("u8"), r"label 9223372036854775808 is beyond"),
        (Y + 0.5, "label 0.5 is no class; labels must be whole numbers"),
        (np.where(Y == 1, np.nan, Y), "label nan is no class"),
        (np.zeros(24, int), r"one class \(0\); a classifier needs two"),
        (np.eye(3)[Y] + np.eye(3)[0], "one class an image, or one-hot"),
        (np.zeros((24, 2, 2)), r"labels of shape \(24, 2, 2\) must be"),
        (Y[:-1], r"training images \(24, 2, 3\) and labels \(23,\) must match"),
        (np.arange(24), "class 0 has 1 training images; at least 3 are needed"),
        (np.array(["a", "b", " "])[Y], "an empty label"),
        (Y * 1j, "an array of type complex128"),
        (np.array([{}] * 24), "an array of type object"),
    ],
)
def test_refused(labels: np.ndarray, rule: str) -> None:
    with pytest.raises(DataError, match=rule):
        of(labels)


def test_too_many_classes() -> None:
    with pytest.raises(DataError, match="2000 different labels for 6000 training images; at most"):
        data.from_arrays(np.ones((6000, 2, 2), np.uint8), np.arange(6000) // 3)


def test_only_in_the_test_part() -> None:
    with pytest.raises(DataError, match="class 2 is in the test part only"):
        data.from_arrays(X[Y < 2], Y[Y < 2], X, Y)
    with pytest.raises(DataError, match="texts in one part and numbers in another"):
        data.from_arrays(X, Y, X, np.array(["a", "b", "c"])[Y])
