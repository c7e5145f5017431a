"""Training: it learns, repeats itself, survives an interruption, and refuses what does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model import golden, store
from model.arch import Architecture, Block
from model.augment import augment
from model.checkpoint import TrainingRun
from model.net import Net, export
from model.recipe import Recipe, loss_of, set_rate
from model.spec import Conv, Dense, Node
from model.store import content_hash
from model.teacher import Teacher
from model.train import TrainError, TrainResult, _sounder, train
from tests.support.datasets import BARS

SOON = Recipe(batch=16, shift=0)
"""Many small steps; a shift would move bars out of the image."""
ENDS = "Built-in architectures take both ends from the data, files with --fit-classes"
ARCH = Architecture(
    "tiny",
    (6, 6, 1),
    (
        Block("conv", "mult", 4, weight_bits=6, act_bits=6),
        Block("conv", "add", 4, stride=2, weight_bits=6, act_bits=6),
        Block("conv", "shift", 6, weight_bits=4, act_bits=6),
        Block("dense", channels=2, act_bits=10),
    ),
    input_bits=4,
)


def test_learns_and_repeats_itself() -> None:
    first = train(ARCH, BARS, epochs=10, recipe=SOON, quiet=True)
    assert set(first.accuracy) == {"float", "quantised", "integer"}
    assert first.accuracy["integer"] > 0.9
    tests = torch.from_numpy(BARS.test_images), torch.from_numpy(BARS.test_labels)
    assert first.accuracy["integer"] == golden.accuracy(first.network, *tests)
    assert first.network.classes == ("flat", "tall")
    assert first.weights == 36 + 144 + 216 + 108
    again = train(ARCH, BARS, epochs=10, recipe=SOON, quiet=True)
    assert store.content_hash(again.network) == store.content_hash(first.network)
    other = train(ARCH, BARS, epochs=10, recipe=SOON, seed=1, quiet=True)
    assert store.content_hash(other.network) != store.content_hash(first.network)


@pytest.mark.parametrize("cut", [1, 3, 5])  # within the float, quantised and integer stages
def test_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    whole = train(ARCH, BARS, epochs=6, out=tmp_path / "whole", quiet=True)
    record = TrainingRun.record

    def interrupted(self: TrainingRun, row: dict[str, Any], *rest: Any) -> None:
        record(self, row, *rest)
        if row["epoch"] == cut:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingRun, "record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(ARCH, BARS, epochs=6, out=tmp_path / "cut", quiet=True)
    monkeypatch.undo()
    rest = train(ARCH, BARS, epochs=6, out=tmp_path / "cut", resume=True, quiet=True)
    assert store.content_hash(rest.network) == store.content_hash(whole.network)
    assert rest.accuracy == whole.accuracy
    rows = [json.loads(line) for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["stage"] for row in rows] == ["float"] + ["quantised"] * 4 + ["integer"]
    assert store.content_hash(store.load(tmp_path / "cut" / "network")) == store.content_hash(
        rest.network
    )


def test_resume_refuses_another_request(tmp_path: Path) -> None:
    train(ARCH, BARS, epochs=1, out=tmp_path, quiet=True)
    with pytest.raises(TrainError, match="holds a run with seed 0, not 1; resume the same request"):
        train(ARCH, BARS, epochs=1, seed=1, out=tmp_path, resume=True, quiet=True)
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainError, match="cannot be read"):
        train(ARCH, BARS, epochs=1, out=tmp_path, resume=True, quiet=True)


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        (
            replace(ARCH, shape=(8, 8, 1)),
            "tiny: shape (8, 8, 1) does not suit bars; it must be (6, 6, 1). " + ENDS,
        ),
        (
            replace(ARCH, input_bits=5),
            "tiny: input_bits 5 does not suit bars; it must be 4. " + ENDS,
        ),
        (
            replace(ARCH, blocks=(Block("dense", channels=3),)),
            "tiny: channels of the last block 3 does not suit bars; it must be 2. " + ENDS,
        ),
    ],
)
def test_refuses_what_does_not_fit(arch: Architecture, message: str) -> None:
    with pytest.raises(TrainError) as error:
        train(arch, BARS, epochs=1, quiet=True)
    assert str(error.value) == message


def test_teacher_pulls_towards_its_scores() -> None:
    labels, recipe = torch.tensor([0]), Recipe(distill=1.0)
    taught = torch.tensor([[0.0, 3.0]])
    far, near = (
        loss_of(torch.tensor([s]), labels, taught, recipe) for s in ([3.0, 0.0], [0.0, 3.0])
    )
    assert near.item() == pytest.approx(0, abs=1e-6)
    assert far > 1
    teacher = train(ARCH, BARS, epochs=10, recipe=SOON, quiet=True).network
    only = replace(SOON, distill=1.0)  # the labels are not used
    student = train(ARCH, BARS, epochs=10, teacher=Teacher(teacher), recipe=only, quiet=True)
    assert student.accuracy["integer"] > 0.85


def test_a_teacher_works_once_for_all_that_are_shown_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = train(ARCH, BARS, epochs=2, recipe=SOON, quiet=True).network

    def student(teacher: Teacher, **how: Any) -> str:
        result = train(ARCH, BARS, epochs=2, teacher=teacher, recipe=SOON, quiet=True, **how)
        return content_hash(result.network)

    kept = Teacher(network, tmp_path / "scores")
    want = student(Teacher(network))
    assert student(kept) == want
    assert len(list((tmp_path / "scores").iterdir())) == 2  # of two epochs

    def busy(self: Teacher, images: torch.Tensor) -> torch.Tensor:
        raise AssertionError("it knows these images")

    monkeypatch.setattr(Teacher, "scores", busy)
    assert student(kept) == want
    with pytest.raises(AssertionError, match="it knows"):  # other images than it knows
        student(kept, seed=1)


@pytest.mark.parametrize("cut", [None, 9])
def test_an_integer_stage_that_breaks_a_network_is_undone(
    cut: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a rate that is too high for add layers without batch norm does; also when interrupted."""
    calm, epochs = set_rate, 10

    def wild(optimiser: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
        calm(optimiser, recipe, done)
        if done >= recipe.quantised_until:
            for group in optimiser.param_groups:
                group["lr"] = 100.0
        if cut and done * epochs >= cut and not (tmp_path / "cut").exists():
            (tmp_path / "cut").touch()
            raise KeyboardInterrupt

    def run() -> TrainResult:
        recipe = replace(SOON, quantised_until=0.8)
        out = tmp_path / "run"
        return train(ARCH, BARS, epochs=epochs, recipe=recipe, out=out, resume=True, quiet=True)

    monkeypatch.setattr("model.epoch.set_rate", wild)
    if cut:
        with pytest.raises(KeyboardInterrupt):
            run()
    result = run()
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert (log[-1]["stage"], log[-1]["test"] < 0.7) == ("integer", True)
    assert result.accuracy["integer"] > 0.85


@pytest.mark.parametrize(("lost", "won", "kept"), [(3, 0, True), (5, 0, False), (20, 10, True)])
def test_a_fall_that_chance_makes_is_none(
    monkeypatch: pytest.MonkeyPatch, lost: int, won: int, kept: bool
) -> None:
    """lost, won: images that the state before the integer stage, or that behind it, alone gets
    right."""
    labels = torch.zeros(100, dtype=torch.int64)
    now, then = labels.clone(), labels.clone()
    now[:lost], then[lost : lost + won] = 1, 1
    said = iter((now, then))
    monkeypatch.setattr("model.golden.predict", lambda network, images: next(said))
    net, earlier = Net(ARCH), Net(ARCH).state_dict()
    chosen = _sounder(net, earlier, torch.zeros(100, 6, 6, 1), labels, ("flat", "tall"))
    assert (content_hash(chosen) == content_hash(export(net, ("flat", "tall")))) is kept


def test_start_hands_weights_on() -> None:
    begin = train(ARCH, BARS, epochs=6, recipe=SOON, quiet=True).network
    still = replace(SOON, rate=0.0)
    network = train(ARCH, BARS, epochs=1, start=begin, recipe=still, seed=5, quiet=True).network
    turned = replace(ARCH.blocks[2], kind="add", weight_bits=6)
    add = replace(ARCH, blocks=(*ARCH.blocks[:2], turned, ARCH.blocks[3]))
    other = train(add, BARS, epochs=1, start=begin, recipe=still, quiet=True).network
    # the scale may differ, the pattern may not
    assert alike(begin["conv0"], network["conv0"]) > 0.99
    assert alike(begin["dense3"], network["dense3"]) > 0.99
    assert alike(begin["conv2"], other["conv2"]) > 0.9
    assert abs(alike(begin["conv1"], network["conv1"])) < 0.5  # add weights are not handed on


def alike(a: Node, b: Node) -> float:
    assert isinstance(a, Conv | Dense)
    assert isinstance(b, Conv | Dense)
    return float(np.corrcoef(a.weights.ravel(), b.weights.ravel())[0, 1])


def test_augment_moves_whole_images() -> None:
    images = torch.zeros(64, 5, 5, 1, dtype=torch.uint8)
    images[:, 2, 1] = 7
    moved = augment(images, 1, False, torch.Generator().manual_seed(0))
    places = {tuple(int(v) for v in image.nonzero()[0][:2]) for image in moved}
    assert places == {(r, c) for r in (1, 2, 3) for c in (0, 1, 2)}
    assert moved.dtype == torch.uint8
    mirrored = augment(images, 0, True, torch.Generator().manual_seed(0))
    assert {int(image.nonzero()[0][1]) for image in mirrored} == {1, 3}
