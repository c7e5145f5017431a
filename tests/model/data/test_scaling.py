"""Features to integers: exact where there are few steps, by the bulk where there are outliers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model import data
from model.data import DataError
from model.data.builtin import scikit
from model.data.scaling import fit


def scaled(column: object) -> np.ndarray:
    rows = np.asarray(column, np.float64)[:, None]
    return fit(rows).apply(rows)[:, 0]


def test_few_steps_are_kept_exactly() -> None:
    assert scaled(range(16)).tolist() == [17 * n for n in range(16)]  # as Letter's features
    assert scaled([4.3, 4.4, 4.9, 7.9]).tolist() == [0, 7, 42, 252]
    assert scaled([100, 300, 1100]).tolist() == [0, 51, 255]
    assert scaled(range(256)).tolist() == list(range(256))
    assert scaled([7.25, 7.25]).tolist() == [0, 0]


@given(
    st.integers(0, 255), st.integers(-1000, 1000), st.sampled_from([1, 0.1, 0.25, 10, 0.001]),
    st.data(),
)  # fmt: skip
def test_a_grid_of_256_steps_loses_nothing(
    span: int, start: int, step: float, draw: st.DataObject
) -> None:
    values = draw.draw(st.lists(st.integers(0, span), min_size=2, max_size=40))
    ints = scaled([(start + n) * step for n in values])
    order = np.array(values)
    assert np.array_equal(order[:, None] < order, ints[:, None] < ints)


def test_an_outlier_does_not_press_the_rest_together() -> None:
    rng = np.random.default_rng(0)
    bulk = np.append(rng.normal(size=999), 1e6)
    ints = scaled(bulk)
    assert len(np.unique(ints)) > 100
    assert ints[-1] == 255
    skewed = scaled(np.exp(rng.normal(0, 2, 1000)))
    assert len(np.unique(skewed)) > 60


def test_new_rows() -> None:
    scaling = fit(np.array([[0.0, 5.0], [255.0, 6.0]]))
    assert scaling.apply([[300, 4], [-1, 5.5], [1.4, 6]]).tolist() == [[255, 0], [0, 128], [1, 255]]
    for rows, rule in (
        ([[1]], "must have 2 features"), ([[1, np.nan]], "not all numbers"), (["a"], "be numbers"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=rule):
            scaling.apply(rows)


def test_test_rows_decide_nothing() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(40, 3)), np.arange(40) % 2
    one = data.from_arrays(rows, labels, rows[:4], labels[:4])
    other = data.from_arrays(rows, labels, 50 * rows[:4], labels[:4])
    assert np.array_equal(one.train_images, other.train_images)
    assert any("beyond these ranges clipped" in note for note in other.notes)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=30))
def test_any_numbers_become_bytes_in_their_order(column: list[float]) -> None:
    ints = scaled(column).astype(int)
    assert all(ints[a] <= ints[b] for a, b in product(range(len(column)), repeat=2)
               if column[a] <= column[b])  # fmt: skip


@pytest.mark.parametrize(
    ("name", "linear", "neighbours"),
    [("wine", 1.0, 0.9444), ("breast-cancer", 0.9825, 0.9561), ("iris", 0.9667, 0.9667)],
)
def test_as_good_as_the_floats(name: str, linear: float, neighbours: float) -> None:
    """Both classifiers are right as often on the integers as on the numbers themselves."""
    dataset = data.load(name)
    bunch, train, test = scikit(name, len(dataset.test_labels))
    ints = [part[:, 0, 0].astype(float) for part in (dataset.train_images, dataset.test_images)]
    for classifier, share in (
        (LogisticRegression(max_iter=3000), linear), (KNeighborsClassifier(5), neighbours),
    ):  # fmt: skip
        judge = make_pipeline(StandardScaler(), classifier)
        raw = judge.fit(bunch.data[train], bunch.target[train]).score(
            bunch.data[test], bunch.target[test]
        )
        own = judge.fit(ints[0], dataset.train_labels).score(ints[1], dataset.test_labels)
        assert (round(raw, 4), round(own, 4)) == (share, share)
