"""shiftadd train: it ends with what it did, and what it made is found by the next verbs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import shiftadd
from model import arch, store
from model import data as datasets
from model.spec import Conv, Dense
from shiftadd.inputs import data_for, network_of
from tests.support.command_line import call
from tests.support.datasets import bars
from tests.support.tiny_network import ARCHITECTURE, TinyNetwork, save_bars, train_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyNetwork:
    return train_tiny(tmp_path_factory.mktemp("tiny"))


def arch_file(folder: Path) -> Path:
    return arch.save(ARCHITECTURE, folder / "bars.json")


def test_ends_with_accuracy_at_each_stage_and_the_next_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data, out = save_bars(tmp_path / "bars.npz"), tmp_path / "my run"
    words = ("train", arch_file(tmp_path), "--data", data, "--out", out, "--epochs", 2)
    status, said, err = call(capsys, *words, "--batch", 32, "--smoothing", 0, "--weighted")
    assert status == 0
    assert [line.partition(" loss")[0] for line in err.splitlines()] == [
        "epoch 1/2 quantised", "epoch 2/2 integer",
    ]  # fmt: skip
    first, right, *_, place, then = said.splitlines()
    assert first.startswith("bars on bars: 72 weights, 2 epochs, ")
    assert right.startswith("right on the 128 test images: float ")
    assert ", quantised " in right
    assert ", integer " in right
    assert place == f"network: {out / 'network'}"
    assert then == f"next: shiftadd compile '{out / 'network'}'"
    status, _, err = call(capsys, *words)
    assert status == 2, "another run is there"
    assert "--force" in err
    status, said, _ = call(capsys, *words, "--force", "--json", "--flips", "--shift", 1)
    assert status == 0
    recipe = json.loads(said)["recipe"]
    assert (recipe["flips"], recipe["shift"], recipe["weighted"]) == (True, 1, False)


def test_sparse_weights_are_zero_more_often(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    zeros = []
    for sparsity in (0, 20):
        words = ("--epochs", 3, "--out", tmp_path / str(sparsity), "--sparsity", sparsity)
        data = save_bars(tmp_path / "bars.npz")
        status, *_ = call(capsys, "train", arch_file(tmp_path), "--data", data, *words)
        assert status == 0
        network = store.load(tmp_path / str(sparsity) / "network")
        layers = [node.weights for node in network if isinstance(node, Conv | Dense)]
        zeros.append(sum((weights == 0).sum() for weights in layers))
    assert zeros[1] > zeros[0]


def test_poor_classes_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = save_bars(tmp_path / "bars.npz")
    words = ("--epochs", 1, "--rate", 1e-9, "--out", tmp_path / "run")
    status, said, _ = call(capsys, "train", arch_file(tmp_path), "--data", data, *words)
    assert status == 0
    assert "right by class: " in said
    assert "most often taken: " in said


def test_network_finds_its_data(tiny: TinyNetwork, tmp_path: Path) -> None:
    known, notes = data_for(network_of(tiny.net), None)
    assert (known.source, notes) == (str(tiny.data.resolve()), ())
    about = store.load(tiny.net).about
    assert about["data_hash"] == known.digest == datasets.load(tiny.data).digest


def test_arrays_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = (*bars(64, 0), *bars(32, 1))
    made = shiftadd.train(ARCHITECTURE, data=arrays, epochs=1, quiet=True)
    monkeypatch.chdir("/")
    known, _ = data_for(network_of(made.network), None)
    assert (known.train_images == arrays[0]).all()
    assert made.folder.parts[0] == "runs"
    assert made.ok
    assert made.per_class.keys() == {"0", "1"}
    assert "network: runs/bars-arrays-" in " ".join(made.lines())
    worse = replace(made.result, advice=("accuracy falls from 90 % to 50 %",))
    assert "accuracy falls from 90 % to 50 %" in replace(made, result=worse).lines()
