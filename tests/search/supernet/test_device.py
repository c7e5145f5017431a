"""A supernet on another device than the CPU: the same weights and the same scores."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from model.checkpoint import TrainingRun
from search.space import space_files
from search.supernet import supernet_train
from search.supernet.inherit import inherit
from search.supernet.sandwich import SuperRecipe
from search.supernet.sharing import SHARING
from search.supernet.supernet import SuperNet
from search.supernet.supernet_train import load_supernet, train_supernet
from tests.support.datasets import BARS
from tests.support.second_device import second_device, without_loops

KINDS = ("mult", "shift", "add")
CHOSEN = space_files.parse(
    {
        "shape": [6, 6, 1], "classes": 2, "input_bits": 4, "act_bits": [4, 6], "score_bits": 10,
        "first": {"channels": [4, 6], "mult": {"conv": [3, 5], "bits": [6]}},
        "stage": [
            {
                "reduce": ["none", "stride"], "channels": [4, 6], "depth": [1, 2],
                **{kind: {"conv": [1, 3], "residual": [3], "bits": [3, 4]} for kind in KINDS},
            },
            {
                "reduce": ["maxpool", "stride"], "channels": [6, 8], "depth": [0, 1],
                **{kind: {"conv": [3], "separable": [3], "bits": [2, 4]} for kind in KINDS},
            },
        ],
        "last": {"head": ["flatten", "globalavg"], "mult": {"bits": [6]}},
    },
    "chosen",
)  # fmt: skip
RECIPE = SuperRecipe(batch=16, shift=0)
FEW = replace(
    BARS, train_images=BARS.train_images[:32], train_labels=BARS.train_labels[:32],
    test_images=BARS.test_images[:16], test_labels=BARS.test_labels[:16],
)  # fmt: skip


def states_equal(one: SuperNet, other: SuperNet) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_supernet_of_a_second_device_is_that_of_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained with an interruption in between; its networks are probed after each epoch."""
    monkeypatch.setattr(supernet_train, "PROBES", 1)
    without_loops(monkeypatch)

    def run(name: str) -> SuperNet:
        return train_supernet(
            CHOSEN, FEW, epochs=2, out=tmp_path / name, quiet=True, device=name,
            recipe=replace(RECIPE, batch=len(FEW.train_labels), shift=1, flips=True, grown=0.5),
        )  # fmt: skip

    record = TrainingRun.record

    def cut(self: TrainingRun, *given: Any) -> None:
        record(self, *given)
        raise KeyboardInterrupt

    with second_device(monkeypatch):
        monkeypatch.setattr(TrainingRun, "record", cut)
        with pytest.raises(KeyboardInterrupt):
            run("cuda")
        monkeypatch.setattr(TrainingRun, "record", record)
        there = run("cuda")
    assert states_equal(there, run("cpu"))
    assert states_equal(there, load_supernet(tmp_path / "cuda", CHOSEN))


@pytest.mark.parametrize("sharing", SHARING)
def test_networks_inherit_where_the_supernet_is(sharing: str, elsewhere: torch.device) -> None:
    supernet = SuperNet(CHOSEN, sharing).eval()
    candidate, images = CHOSEN.sample(random.Random(2)), torch.from_numpy(FEW.train_images)
    here = inherit(supernet, candidate, images)
    there = inherit(supernet.to(elsewhere), candidate, images)
    assert (here.device.type, there.device) == ("cpu", elsewhere)
    with torch.no_grad():
        a, b = here(images), there(images.to(elsewhere)).cpu()
    assert torch.allclose(a, b, atol=0.1)


def test_a_supernet_by_cuda_repeats_itself(cuda: torch.device, tmp_path: Path) -> None:
    first, second = (
        train_supernet(
            CHOSEN, BARS, epochs=1, out=tmp_path / name, quiet=True, device="cuda", recipe=RECIPE
        )
        for name in ("first", "second")
    )
    assert states_equal(first, second)
    assert first.device.type == "cpu"
