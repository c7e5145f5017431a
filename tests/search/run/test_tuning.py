"""Rungs of training: a network goes on from what its training before has left, and from nothing
else."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model import golden, store
from model.checkpoint import CHECKPOINT
from model.net import Net, export
from model.spec import Conv
from search.evolve.scoring import ScoringSetup, images
from search.results.results import RunError
from search.run.tuning import FURTHER, Training, TuneJob, further, trained_net, tune
from search.space import space_files
from search.space.space import Candidate
from tests.support.search_fakes import TINY

SPACE = space_files.load("8x8")
SETTING = ScoringSetup(SPACE, "", "digits", "up5k")
TRAINING = Training(1, 3)


@pytest.fixture(scope="module")
def small() -> Candidate:
    drawn = [SPACE.sample(random.Random(seed)) for seed in range(20)]
    return min(drawn, key=lambda one: sum(p.numel() for p in net(one).parameters()))


def net(candidate: Candidate) -> Net:
    torch.manual_seed(0)
    return Net(SPACE.architecture(candidate))


@pytest.fixture(scope="module")
def first(small: Candidate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a training of two epochs, of which the second is in the integer stage."""
    folder = tmp_path_factory.mktemp("first")
    tune(SETTING, net(small), replace(TRAINING, epochs=2), folder)
    return folder


def test_goes_on_from_the_very_network_that_was_left(small: Candidate, first: Path) -> None:
    left = store.load(first / "network")
    gone_on = trained_net(SPACE.architecture(small), first)
    assert store.content_hash(export(gone_on, left.classes)) == store.content_hash(left)


def test_steps_of_add_weights_go_along(tmp_path: Path) -> None:
    """With 3 bits for inputs of 6 they reach as far as these by a step, which is chosen once."""
    (tmp_path / "tiny.toml").write_text(
        TINY.replace("act_bits = 4", "act_bits = 6").replace(
            "add = { conv = [1], bits = [4] }", "add = { conv = [1], bits = [3] }"
        )
    )
    space = space_files.load(str(tmp_path / "tiny.toml"))
    arch = space.architecture(space.largest("add"))
    torch.manual_seed(0)
    initial = Net(arch).stage("float")
    initial.calibrate(torch.from_numpy(images("digits").train_images[:64]))
    setting = ScoringSetup(space, "", "digits", "up5k")
    tune(setting, initial, TRAINING, tmp_path / "first")
    left = store.load(tmp_path / "first/network")
    steps = [node.step for node in left.nodes if isinstance(node, Conv) and node.kind == "add"]
    assert steps
    assert min(steps) > 0
    gone_on = trained_net(arch, tmp_path / "first")
    assert store.content_hash(export(gone_on, left.classes)) == store.content_hash(left)


def test_a_later_rung_is_a_training_of_its_own(
    small: Candidate, first: Path, tmp_path: Path
) -> None:
    job = TuneJob(SETTING, TRAINING.at(1, 2), small, str(tmp_path / "rung-1"), str(first))
    accuracy = further(job)
    network, shown = store.load(tmp_path / "rung-1/network"), images("digits")
    tests = torch.from_numpy(shown.test_images), torch.from_numpy(shown.test_labels)
    assert golden.accuracy(network, *tests) == accuracy
    assert network.about["seed"] != TRAINING.seed, "images in another order"
    again = store.content_hash(network)
    assert again != store.content_hash(store.load(first / "network"))

    (tmp_path / "rung-1" / FURTHER).unlink()  # as if cut short after its last epoch
    assert further(job) == accuracy
    assert store.content_hash(store.load(tmp_path / "rung-1/network")) == again


def test_a_checkpoint_of_another_training_is_refused(
    small: Candidate, first: Path, tmp_path: Path
) -> None:
    tune(SETTING, net(small), TRAINING, tmp_path / "other")
    shutil.copytree(first, tmp_path / "mixed")
    shutil.copy(tmp_path / "other" / CHECKPOINT, tmp_path / "mixed" / CHECKPOINT)
    with pytest.raises(RunError, match=r"mixed: its checkpoint is not that of its network; remove"):
        trained_net(SPACE.architecture(small), tmp_path / "mixed")
