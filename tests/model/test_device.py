"""Training and evaluating on another device than the CPU: the same integers, from any state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model import device, golden
from model.arch import Architecture, Block
from model.checkpoint import TrainError, TrainingRun
from model.device import CPU, at_home, device_of, exact, repeatable
from model.epoch import scores_of
from model.errors import RequestError
from model.net import Net, export
from model.recipe import Recipe
from model.spec import Requantise
from model.store import content_hash
from model.teacher import Teacher
from model.train import TrainResult, train
from tests.support.datasets import BARS
from tests.support.second_device import MixedDevicesError, second_device, without_loops

FEW = replace(
    BARS, train_images=BARS.train_images[:48], train_labels=BARS.train_labels[:48],
    test_images=BARS.test_images[:16], test_labels=BARS.test_labels[:16],
)  # fmt: skip
TINY = Architecture("one", (6, 6, 1), (Block("dense", channels=2, act_bits=10),), input_bits=4)


def arch(first: str, second: str, style: str = "integer") -> Architecture:
    """Every block, of two kinds; weights narrower than their inputs, and ternary ones."""
    blocks = (
        Block("conv", "mult", 4, kernel=3),
        Block("residual", first, 6, kernel=3, stride=2, weight_bits=4),
        Block("separable", second, 6, kernel=3, weight_bits=2 if second == "mult" else 3),
        Block("avgpool", kernel=2, stride=1),
        Block("maxpool", kernel=2, stride=1),
        Block("globalavg"),
        Block("dense", first, 5, weight_bits=4),
        Block("dense", "mult", 2, act_bits=10),
    )
    return Architecture("t", (6, 6, 1), blocks, input_bits=4, multiplier=style)


HARD = Recipe(
    batch=48, shift=1, flips=True, weighted=True, sparsity=0.01, float_until=0.4,
    quantised_until=0.7,
)  # fmt: skip
"""All that there is, and a stage an epoch."""
MIXES = [("shift", "add", "integer"), ("add", "mult", "power"), ("mult", "shift", "two-digit")]


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_of("cpu") == CPU
    with pytest.raises(RequestError, match=r"^--device gpu: must be one of auto, cpu, cuda$"):
        device_of("gpu")
    monkeypatch.setattr(device, "gpus", lambda: 0)
    assert device_of("auto") == CPU
    with pytest.raises(RequestError, match=r"^--device cuda: no CUDA device here \(.+\); --device"):
        device_of("cuda")


def test_processes_take_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "gpus", lambda: 2)
    monkeypatch.delenv(device.RANK, raising=False)
    assert device_of("auto") == torch.device("cuda", 0)
    monkeypatch.setenv(device.RANK, "3")
    assert device_of("cuda") == torch.device("cuda", 1)
    assert device_of("cpu") == CPU


def test_settings_of_a_gpu_last_as_long_as_they_are_needed() -> None:
    cudnn: Any = torch.backends.cudnn
    matmul: Any = torch.backends.cuda.matmul

    def stand() -> tuple[object, ...]:
        return cudnn.enabled, cudnn.deterministic, cudnn.benchmark, *map(precision, (cudnn, matmul))

    def precision(of: Any) -> object:
        of = getattr(of, "conv", of)
        return of.fp32_precision if hasattr(of, "fp32_precision") else of.allow_tf32

    before, gpu = stand(), torch.device("cuda", 0)
    with repeatable(CPU), exact(CPU):
        assert stand() == before
    with repeatable(gpu):
        assert stand() in {(True, True, False, "ieee", "ieee"), (True, True, False, False, False)}
        with exact(gpu):
            assert not cudnn.enabled
        assert cudnn.enabled
    assert stand() == before


def test_the_second_device_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with second_device(monkeypatch) as where:
        there, here = torch.ones(3).to(where), torch.ones(3)
        assert there.device == where
        assert (there + there).cpu().tolist() == [2, 2, 2]
        with pytest.raises(MixedDevicesError):
            there + here
        with pytest.raises(MixedDevicesError):
            there[torch.arange(2)]
        with pytest.raises(RuntimeError):
            there.numpy()


def test_training_on_a_second_device_gives_the_network_of_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that a training does, in its three stages, and with scores that the other one has kept:
    whatever it leaves on the CPU by mistake is refused there."""
    master = export(Net(arch("mult", "shift")), BARS.classes)

    def run(name: str) -> TrainResult:
        return train(
            arch("shift", "add", "power"), FEW, epochs=3, teacher=Teacher(master, tmp_path),
            device=name, quiet=True, recipe=HARD,
        )  # fmt: skip

    without_loops(monkeypatch)
    here = run("cpu")
    with second_device(monkeypatch):
        there = run("cuda")
    assert content_hash(there.network) == content_hash(here.network)
    assert there.accuracy == here.accuracy


def test_a_run_goes_on_where_it_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(name: str, **how: Any) -> TrainResult:
        how = {"epochs": 3, "quiet": True, "shift": 0} | how
        return train(TINY, FEW, device=name, **how)

    record = TrainingRun.record

    def cut(self: TrainingRun, row: dict[str, Any], *given: Any) -> None:
        record(self, row, *given)
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with second_device(monkeypatch):
        whole = run("cuda")
        monkeypatch.setattr(TrainingRun, "record", cut)
        with pytest.raises(KeyboardInterrupt):
            run("cuda", out=tmp_path)
        monkeypatch.setattr(TrainingRun, "record", record)
    with pytest.raises(TrainError, match="holds a run on cuda, not on cpu; --device names it"):
        run("cpu", out=tmp_path, resume=True)
    with second_device(monkeypatch):
        again = run("auto", out=tmp_path, resume=True)
    assert content_hash(again.network) == content_hash(whole.network)


@pytest.mark.parametrize(("first", "second", "style"), MIXES)
def test_integers_are_the_same_everywhere(
    first: str, second: str, style: str, elsewhere: torch.device
) -> None:
    """Of one state: exported, evaluated in the integer stage, and computed by the golden model."""
    torch.manual_seed(1)
    net = Net(arch(first, second, style))
    images = torch.from_numpy(FEW.test_images)
    net.stage("float").train()(images)  # fills batch norms
    net.calibrate(images)
    network = export(net)
    wanted = golden.run(network, images, keep=[node.name for node in network.nodes[1:]])
    net.to(elsewhere)
    assert content_hash(export(net)) == content_hash(network)
    assert net.device == elsewhere
    points = {at for at, one in net.named_buffers() if one.device == CPU}
    assert points == {at for at, _ in net.named_buffers() if at.endswith("point")}, "asked for"
    there = golden.run(network, images.to(elsewhere), keep=list(wanted))
    for name, values in wanted.items():
        assert torch.equal(there[name].cpu(), values), name
    last = network[network.nodes[-1].inputs[0]]
    assert isinstance(last, Requantise)
    scores = scores_of(net.stage("integer"), images) * 2.0**last.format.frac
    assert torch.equal(scores.long(), wanted[network.nodes[-1].name].flatten(1))


def test_what_is_kept_lies_on_the_cpu(elsewhere: torch.device) -> None:
    kept = at_home({"a": [torch.ones(2).to(elsewhere), 3], "b": (None, torch.ones(1))})
    assert kept["a"][0].device == CPU
    assert kept["a"][0].tolist() == [1, 1]
    assert (kept["a"][1], kept["b"]) == (3, (None, torch.ones(1)))


@pytest.mark.parametrize("kind", ["mult", "shift", "add"])
def test_training_by_cuda_repeats_itself(kind: str, cuda: torch.device) -> None:
    """Integers are those of the GPU's weights, and the test images are judged on the CPU."""

    def run() -> TrainResult:
        return train(arch(kind, kind), BARS, epochs=4, device="cuda", quiet=True, shift=1)

    made = run()
    assert content_hash(run().network) == content_hash(made.network)
    images, labels = torch.from_numpy(BARS.test_images), torch.from_numpy(BARS.test_labels)
    assert made.accuracy["integer"] == golden.accuracy(made.network, images, labels)
    assert (
        golden.accuracy(made.network, images.to(cuda), labels.to(cuda)) == made.accuracy["integer"]
    )
    assert np.isfinite(list(made.accuracy.values())).all()
