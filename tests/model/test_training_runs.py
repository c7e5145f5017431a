"""The folder of a training: other data, other runs, two at a time; what is said meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import checkpoint, store
from model import files as files_of
from model.arch import Architecture, Block
from model.data import Dataset
from model.data.scaling import InputScaling
from model.epoch import Passes
from model.lock import FolderInUseError, folder_lock
from model.recipe import Recipe
from model.store import content_hash
from model.train import TrainError, TrainResult, train
from tests.support.datasets import BARS
from tests.support.paths import ROOT

SOON = Recipe(batch=16, shift=0)
ARCH = Architecture("two", (6, 6, 1), (Block("dense", channels=2, act_bits=10),), input_bits=4)


def run(out: Path | None, data: Dataset = BARS, *, seed: int = 0, **how: Any) -> TrainResult:
    return train(ARCH, data, epochs=2, seed=seed, out=out, recipe=SOON, quiet=True, **how)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_other_data_are_no_resumption(tmp_path: Path) -> None:
    run(tmp_path)
    before = files(tmp_path)
    changed = replace(BARS, train_images=BARS.train_images[::-1].copy())
    with pytest.raises(TrainError, match="holds a run of other data: bars has changed since") as e:
        run(tmp_path, changed, resume=True)
    assert "--force trains anew" in str(e.value)
    assert files(tmp_path) == before
    again = run(tmp_path, changed, resume=True, force=True)
    assert again.network.about["data_hash"] == changed.digest
    fresh = run(None, changed).network
    assert content_hash(store.load(tmp_path / "network")) == content_hash(fresh)


def test_a_run_that_is_there_is_replaced_on_request_alone(tmp_path: Path) -> None:
    first = run(tmp_path)
    before = files(tmp_path)
    with pytest.raises(TrainError, match=r"holds a run already; --resume .* --force repl"):
        run(tmp_path, seed=1)
    assert files(tmp_path) == before
    assert content_hash(run(tmp_path, resume=True, force=True).network) == content_hash(
        first.network
    )
    run(tmp_path, seed=1, force=True)
    assert store.load(tmp_path / "network").about["seed"] == 1
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2


class CutShort(BaseException):
    """As the end of the process."""


def test_a_run_that_is_replaced_stays_whole_until_the_other_has_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tmp_path)
    before = files(tmp_path)
    epoch, write = Passes.one, files_of.write
    steps: list[str] = []

    def cut(*given: Any) -> Any:
        steps.append("cut")
        raise CutShort

    monkeypatch.setattr(Passes, "one", cut)
    with pytest.raises(CutShort):
        run(tmp_path, seed=1, force=True)
    assert files(tmp_path) == before
    monkeypatch.setattr(Passes, "one", epoch)
    monkeypatch.setattr(checkpoint, "write", cut)
    with pytest.raises(CutShort):
        run(tmp_path, seed=1, force=True)
    assert set(files(tmp_path)) == {"checkpoint.pt"}, "neither half a network nor another's"
    monkeypatch.setattr(checkpoint, "write", write)
    again = run(tmp_path, resume=True)
    assert content_hash(again.network) == content_hash(first.network)
    assert content_hash(store.load(tmp_path / "network")) == content_hash(first.network)
    assert steps == ["cut", "cut"]


def test_a_damaged_checkpoint_is_begun_anew_on_request(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainError, match=r"cannot be read .*; --force begins anew"):
        run(tmp_path, resume=True)
    run(tmp_path, resume=True, force=True)


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "mine.txt").touch()
    with pytest.raises(TrainError, match="network: exists and is no network; give another"):
        run(tmp_path, force=True)
    assert (tmp_path / "network" / "mine.txt").exists()


def test_the_second_of_two_is_told(tmp_path: Path) -> None:
    with (
        folder_lock(tmp_path, "training"),
        pytest.raises(FolderInUseError, match=r"another training .* is running there"),
    ):
        run(tmp_path)
    run(tmp_path)


def test_what_it_was_trained_on_stands_in_the_network() -> None:
    scaling = InputScaling((0.5,), (0.25,))
    data = replace(BARS, source="/data/bars.csv", scaling=scaling)
    about = run(None, data).network.about
    assert (about["data"], about["data_source"]) == ("bars", "/data/bars.csv")
    assert about["data_hash"] == data.digest
    assert about["input"] == {"offset": (0.5,), "step": (0.25,)}
    assert "input" not in run(None).network.about


def test_lines_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    train(ARCH, BARS, epochs=2, recipe=SOON)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert [line.split(" loss ")[0] for line in lines] == [
        "epoch 1/2 quantised",
        "epoch 2/2 integer",
    ]
    assert all(" test 0." in line or " test 1." in line for line in lines)
    run(None)
    assert capsys.readouterr() == ("", "")


PROGRAM = """
from model import data, zoo
from model.recipe import Recipe
from model.store import content_hash
from model.train import train

arch, digits = zoo.load("digits_hybrid"), data.load("digits")
for recipe in (Recipe(), Recipe(threads=1)):
    print(content_hash(train(arch, digits, epochs=1, quiet=True, recipe=recipe).network))
"""


def trained(variable: int) -> list[str]:
    """Hashes of the demo's network after an epoch, by default and in one thread, under that
    OMP_NUM_THREADS."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(variable), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    ).stdout.split()


def test_the_same_seed_gives_the_same_network_under_any_number_of_threads() -> None:
    assert trained(2) == trained(1)


@pytest.mark.parametrize("count", [65, 1])
def test_a_last_batch_of_one_row_trains(count: int) -> None:
    """Batch norm has no statistics of one value a channel."""
    rng = np.random.default_rng(0)
    rows, labels = rng.integers(0, 256, (count, 1, 1, 5), np.uint8), np.arange(count) % 2
    data = Dataset("rows", rows, labels, rows, labels, ("a", "b"), table=True)
    blocks = Block("dense", channels=4), Block("dense", channels=2, act_bits=10)
    arch = Architecture("mlp", (1, 1, 5), blocks)
    result = train(arch, data, epochs=4, quiet=True, batch=64)
    assert 0 <= result.accuracy["integer"] <= 1


def test_a_result_says_what_is_right_by_class() -> None:
    result = train(ARCH, BARS, epochs=4, recipe=SOON, quiet=True)
    row = result.as_dict(Path("x"))
    counts = np.array(row["confusion"])
    assert counts.sum() == len(BARS.test_labels)
    assert np.trace(counts) / counts.sum() == pytest.approx(row["accuracy"]["integer"])
    assert row["per_class"] == result.per_class
    assert row["per_class"]["flat"] == counts[0, 0] / counts[0].sum()
    assert result.data["digest"] == BARS.digest
    assert row["recipe"]["batch"] == 16


def overlapping(counts: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two classes, of these counts, whose four features overlap."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(2), counts)
    rows = rng.normal(110 + 30 * labels[:, None], 40, (len(labels), 4))
    return rows.clip(0, 255).astype(np.uint8)[:, None, None], labels


def test_weighted_classes_are_right_more_evenly_on_unbalanced_rows() -> None:
    parts = *overlapping((760, 40), 0), *overlapping((400, 400), 1)
    data = Dataset("rare", *parts, ("usual", "rare"), table=True)
    blocks = Block("dense", channels=8), Block("dense", channels=2, act_bits=10)
    arch = Architecture("mlp", (1, 1, 4), blocks)
    plain, weighted = (
        [share or 0.0 for share in result.per_class.values()]
        for result in (train(arch, data, epochs=6, quiet=True, weighted=w) for w in (False, True))
    )
    assert weighted[1] > plain[1] + 0.2
    assert np.mean(weighted) > np.mean(plain) + 0.1
