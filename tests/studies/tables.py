"""Tables with defaults alone, beside logistic regression: `python -m tests.studies.tables`.

Prints, for each built-in table, rows of its fixed test part that are wrong (five seeds), and the
share right over repeated ten folds of all its rows: of a hundred test rows, one is a per cent, and
which hundred they are counts more than how a network was trained. `--letter FILE` adds Letter.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model import data, zoo
from model.data import Dataset
from model.data.builtin import scikit
from model.train import TrainResult, train

TABLES = {"breast-cancer": 114, "wine": 36, "iris": 30}
"""Rows of their fixed test parts."""
FOLDS, REPEATS = 10, 2


def trained(table: Dataset, seed: int = 0) -> TrainResult:
    """By defaults alone."""
    return train(zoo.for_data(zoo.usual(table), table), table, seed=seed, quiet=True)


def folds(name: str, repeats: int = REPEATS) -> Iterator[tuple[Dataset, float]]:
    """A built-in table, each of its folds as the test part in turn; with the share of this that is
    right by logistic regression. Scaling is that of the fold's training part."""
    bunch, _, _ = scikit(name, TABLES[name])
    rows, labels = np.asarray(bunch.data, np.float64), np.asarray(bunch.target)
    parts = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=0)
    for train_part, test_part in parts.split(rows, labels):
        pairs = rows[train_part], labels[train_part], rows[test_part], labels[test_part]
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        right = linear.fit(*pairs[:2]).score(*pairs[2:])
        yield data.from_arrays(*pairs, name=name), float(right)


def mean_right(name: str, repeats: int = REPEATS) -> tuple[float, float]:
    """Share of rows that is right when their fold is held out: networks, logistic regression."""
    counts = np.zeros(3)
    for table, linear in folds(name, repeats):
        size = len(table.test_labels)
        counts += size, size * trained(table).accuracy["integer"], size * linear
    return float(counts[1] / counts[0]), float(counts[2] / counts[0])


def wrong(table: Dataset, seed: int = 0) -> int:
    """Rows of the test part."""
    matrix = np.array(trained(table, seed).confusion.counts)
    return int(matrix.sum() - np.trace(matrix))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letter", type=Path, help="letter-recognition.data of UCI")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of the ten folds")
    given = parser.parse_args()
    for name, rows in TABLES.items():
        table = data.load(name)
        print(f"{name}: wrong of {rows}, seeds 0 to 4: {[wrong(table, s) for s in range(5)]}")
        ours, linear = mean_right(name, given.repeats)
        print(f"{name}: {FOLDS} folds: {ours:.2%}, logistic regression {linear:.2%}", flush=True)
    if given.letter:
        print(f"letter: wrong of 4000: {wrong(letter(given.letter))}")


def letter(path: Path) -> Dataset:
    """The last 4,000 rows are the test part, as is usual."""
    return data.load(f"{path}:test=4000,label=first")


if __name__ == "__main__":
    main()
