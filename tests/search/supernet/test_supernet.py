"""The supernet: shared weights, exact inheritance, training that resumes, and distributions."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from model import golden
from model.checkpoint import TrainingRun
from model.epoch import evaluate
from model.layers import RequantiseLayer, Weighted
from model.lock import FolderInUseError, folder_lock
from model.net import export
from model.ops import ops
from model.recipe import Recipe
from model.spec import Conv, Dense
from model.train import TrainError, train
from search.space import space_files
from search.space.space import Choice, Space, SpaceError, StageChoice
from search.supernet import supernet_train
from search.supernet.inherit import inherit, score
from search.supernet.sandwich import SuperRecipe, draw, teacher
from search.supernet.sharing import SHARING, Position, gaussian_distance, roles, to_laplace
from search.supernet.supernet import SuperNet
from search.supernet.supernet_train import load_supernet, train_supernet
from tests.support.datasets import BARS

TABLE: dict[str, Any] = {
    "shape": [6, 6, 1], "classes": 2, "input_bits": 4, "act_bits": 6, "score_bits": 10,
    "first": {"channels": [4, 6], "mult": {"conv": [3, 5], "bits": [6]}},
    "stage": [
        {
            "reduce": ["none", "stride"], "channels": [4, 6], "depth": [0, 1],
            "mult": {"conv": [1, 3], "separable": [3], "bits": [6]},
            "shift": {"conv": [1, 3], "separable": [3], "bits": [4]},
            "add": {"conv": [1, 3], "separable": [3], "bits": [6]},
        },
        {
            "reduce": ["maxpool", "stride"], "channels": [6, 8], "depth": [0, 1, 2],
            "mult": {"conv": [1, 3], "separable": [3, 5], "bits": [6]},
            "shift": {"conv": [1, 3], "separable": [3, 5], "bits": [4]},
            "add": {"conv": [1, 3], "separable": [3, 5], "bits": [6]},
        },
    ],
    "last": {"head": ["flatten", "globalavg"], "mult": {"bits": [6]}},
}  # fmt: skip
SPACE = space_files.parse(TABLE, "tiny")
RECIPE = SuperRecipe(batch=16, shift=0)
ENDS: dict[str, Any] = {
    "first": TABLE["first"] | {"shift": {"conv": [3], "bits": [3]}},
    "last": TABLE["last"] | {"shift": {"bits": [4]}},
}
SHIFTED = space_files.parse(TABLE | ENDS, "shifted")
"""Its ends may be shifts, too."""
WIDE = ("mult", "shift", "add")
CHOSEN = space_files.parse(
    TABLE | {
        "act_bits": [4, 6],
        "stage": [
            {
                "reduce": ["none", "stride"], "channels": [4, 6], "depth": [1, 2],
                **{kind: {"conv": [1, 3], "residual": [3], "bits": [3, 4]} for kind in WIDE},
            },
            {
                "reduce": ["maxpool", "stride"], "channels": [6, 8], "depth": [0, 1],
                **{kind: {"conv": [3], "separable": [3], "bits": [2, 4]} for kind in WIDE},
            },
        ],
    },
    "chosen",
)  # fmt: skip
"""Layers choose the bits of what they give, some blocks are residual, some weights have 2 bits."""


def drawn(count: int, seed: int = 0, space: Space = SPACE) -> list[Any]:
    rng = random.Random(seed)
    return [space.sample(rng) for _ in range(count)]


def test_students_stray_from_the_teacher_step_by_step() -> None:
    space, recipe = space_files.load("28x28"), SuperRecipe(students=100, grown=0.5)
    model = teacher(space)

    def kept(done: float) -> float:
        students = draw(space, recipe, done, random.Random(0))
        assert len(students) == 100
        assert all(student in space and student != model for student in students)
        same = [a == b for s in students for a, b in zip(s.stages, model.stages, strict=True)]
        return sum(same) / len(same)

    assert kept(0.0) > 0.5 > kept(0.2) > kept(0.5)
    assert kept(0.5) == kept(0.9) < 0.05


def test_quantiles_of_a_gaussian_become_those_of_a_laplacian() -> None:
    share = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    given = torch.from_numpy(stats.norm.ppf(share.numpy()))
    np.testing.assert_allclose(to_laplace(given), stats.laplace.ppf(share), atol=1e-9)
    far = to_laplace(torch.tensor([-12.0, 12.0], requires_grad=True))
    assert far.isfinite().all()
    assert far[1] == -far[0] > 70


def test_distance_is_zero_for_a_gaussian_and_pulls_towards_it() -> None:
    rng = np.random.default_rng(0)
    near = torch.from_numpy(rng.normal(3.0, 0.1, 4000))
    far = torch.from_numpy(rng.laplace(size=1000)).requires_grad_()
    assert gaussian_distance(near) < 0.005 < gaussian_distance(far.detach()) / 5
    optimiser = torch.optim.Adam([far], 0.05)
    for _ in range(100):
        optimiser.zero_grad()
        gaussian_distance(far).backward()
        optimiser.step()
    assert gaussian_distance(far.detach()) < 0.005


def test_one_tensor_serves_every_kind_and_width() -> None:
    choices = [Choice(kind, "conv", 3, 6) for kind in ("mult", "shift", "add")]
    played = [role for choice in choices for role in roles(choice)]
    position = Position(played, 8, 8, sharing="heterogeneous")
    mult, shift, add = (position.weight(r, torch.Size((8, 8, 3, 3))) for r in played)
    assert mult.equal(shift)
    off = ~torch.eye(8, dtype=torch.bool)  # away from the identity
    for part in (mult, add):
        assert part.isfinite().all()
    order = mult[off].flatten().argsort()
    assert (add[off].flatten()[order].diff() >= 0).all()  # monotone
    narrow = position.weight(played[0], torch.Size((4, 6, 3, 3)))
    assert narrow.equal(mult[:4, :6])
    assert sum(w.numel() for w in position.weights.values()) == 8 * 8 * 9


@pytest.mark.parametrize("sharing", SHARING)
@pytest.mark.parametrize("space", [SPACE, SHIFTED, CHOSEN], ids=lambda space: space.name)
def test_inherited_net_computes_what_the_supernet_does(sharing: str, space: Space) -> None:
    torch.manual_seed(0)
    supernet = SuperNet(space, sharing).train()
    images = torch.from_numpy(BARS.train_images[:64])
    for candidate in drawn(12, space=space):
        net = supernet.net(candidate).train()
        for stage in ("float", "quantised"):
            assert supernet(images, candidate, stage).equal(net.stage(stage)(images))


@pytest.mark.parametrize("sharing", SHARING)
@pytest.mark.parametrize("space", [SHIFTED, CHOSEN], ids=lambda space: space.name)
def test_every_weight_is_used(sharing: str, space: Space) -> None:
    supernet = SuperNet(space, sharing).train()
    images = torch.from_numpy(BARS.train_images[:16])
    idle: list[str] = []
    for i, candidate in enumerate(drawn(800, space=space)):
        supernet(images, candidate).square().sum().backward()
        if i % 20 == 19:
            idle = [name for name, p in supernet.named_parameters() if p.grad is None]
            if not idle:
                break
    assert not idle


def test_activation_bits_and_residual_blocks_share_the_tensors_of_their_place() -> None:
    plain = [Choice(kind, "conv", 3, 4) for kind in WIDE]
    blocks = [replace(choice, op="residual") for choice in plain]
    played = [role for choice in (*plain, *blocks) for role in roles(choice)]
    position = Position(played, 6, 8, sharing="heterogeneous")
    assert {n: tuple(w.shape) for n, w in position.weights.items()} == {
        "dense": (8, 6, 3, 3), "second": (8, 8, 3, 3),
    }  # fmt: skip
    by_part = {(r.choice.kind, r.choice.op, r.part): r for r in played}

    def weight(kind: str, op: str, part: str) -> torch.Tensor:
        role = by_part[kind, op, part]
        return position.weight(role, position.shape(role))

    product = weight("mult", "conv", "dense")
    assert product.equal(weight("mult", "residual", "dense"))
    assert product.equal(weight("shift", "conv", "dense"))


def test_sum_of_a_residual_block_keeps_its_range() -> None:
    """Weights of a later add layer are at its binary point, so no image may move it."""
    residual = Choice("mult", "residual", 3, 4, 6)
    entry, further = Choice("mult", "conv", 3, 4, 6), Choice("add", "conv", 3, 4, 6)
    candidate = replace(
        CHOSEN.largest("mult"), stages=(
            StageChoice("none", 6, (entry, residual)), StageChoice("maxpool", 8, (further,)),
        ),
    )  # fmt: skip
    assert candidate in CHOSEN
    images = torch.from_numpy(BARS.train_images[:64])
    net = inherit(SuperNet(CHOSEN), candidate, images)
    summed = net.layers["residual2_q"]
    assert isinstance(summed, RequantiseLayer)
    assert int(summed.point) == 6 - 2
    network = export(net, BARS.classes)
    tests = torch.from_numpy(BARS.test_images), torch.from_numpy(BARS.test_labels)
    assert golden.accuracy(network, *tests) == evaluate(net, *tests)


def test_sharing_saves_weights_and_is_checked() -> None:
    space = space_files.load("28x28")
    counts = {sharing: SuperNet(space, sharing).weight_count for sharing in SHARING}
    assert counts["heterogeneous"] < 0.4 * counts["none"]
    assert counts["naive"] < counts["heterogeneous"]  # the transforms are a few numbers
    assert counts["heterogeneous"] < 1.05 * counts["naive"]
    with pytest.raises(SpaceError, match="sharing 'all' must be one of heterogeneous, naive, none"):
        SuperNet(space, "all")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[SuperNet, Path]:
    out = tmp_path_factory.mktemp("supernet")
    supernet = train_supernet(SPACE, BARS, epochs=10, out=out, recipe=RECIPE, quiet=True)
    return supernet, out


def test_learns(trained: tuple[SuperNet, Path]) -> None:
    supernet, out = trained
    assert score(supernet, teacher(SPACE), BARS) > 0.95
    assert np.mean([score(supernet, c, BARS) for c in drawn(40, 1)]) > 0.65  # ± 0.03
    about = json.loads((out / "supernet.json").read_text())
    assert [row["epoch"] for row in about["curve"]] == list(range(1, 11))
    assert about["curve"][-1]["loss"] < about["curve"][0]["loss"]
    assert about["weights"] == supernet.weight_count < about["unshared_weights"]
    assert not (out / "checkpoint.pt").exists()


def test_trained_weights_keep_their_shapes(trained: tuple[SuperNet, Path]) -> None:
    histograms = json.loads((trained[1] / "supernet.json").read_text())["histograms"]
    assert set(histograms) == {"shared", "mult", "shift", "add"}
    assert histograms["shared"]["gaussian"] < histograms["shared"]["laplacian"]
    assert histograms["add"]["laplacian"] < histograms["add"]["gaussian"]
    assert len(histograms["add"]["edges"]) == len(histograms["add"]["counts"]) + 1


def test_inherited_net_is_recalibrated_and_exports(trained: tuple[SuperNet, Path]) -> None:
    supernet, _ = trained
    candidate = drawn(30)[-1]
    images = torch.from_numpy(BARS.train_images[:128])
    net = inherit(supernet, candidate, images)
    norms = [
        (n, layer) for n, layer in net.steps() if isinstance(layer, RequantiseLayer) and layer.norm
    ]
    with torch.no_grad():
        values = net.values(images, [net.sources[name][0] for name, _ in norms])
    for name, norm in norms:
        sums = values[net.sources[name][0]]
        torch.testing.assert_close(norm.mean, sums.mean((0, 2, 3)))
    tests = torch.from_numpy(BARS.test_images), torch.from_numpy(BARS.test_labels)
    assert evaluate(net, *tests) == score(supernet, candidate, BARS, calibration=128)
    network = export(net, BARS.classes)
    assert golden.accuracy(network, *tests) == evaluate(net, *tests)


def test_fine_tuning_begins_with_what_was_inherited(trained: tuple[SuperNet, Path]) -> None:
    supernet, _ = trained
    candidate = drawn(30)[-1]
    net = inherit(supernet, candidate, torch.from_numpy(BARS.train_images[:128]))
    arch = SPACE.architecture(candidate)
    still = Recipe(batch=64, rate=0.0, shift=0, float_until=0.0, quantised_until=1.0)
    result = train(arch, BARS, epochs=1, initial=net, recipe=still, quiet=True)
    for name, layer in net.steps():
        if isinstance(layer, Weighted):
            want = ops(layer.kind).quantise(layer.weight, layer.bits, layer.frac_in, True)
            node = result.network[name]
            assert isinstance(node, Conv | Dense)
            have = node.weights
            assert (have.ravel() == want.detach().permute(0, 2, 3, 1).numpy().ravel()).all()
    other = SPACE.architecture(teacher(SPACE))
    with pytest.raises(TrainError, match="it must have the same blocks"):
        train(other, BARS, epochs=1, initial=net, quiet=True)


def test_same_request_is_loaded_and_another_is_not(
    trained: tuple[SuperNet, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    supernet, out = trained

    def never(*_: object) -> dict[str, Any]:
        raise AssertionError("trained again")

    monkeypatch.setattr(supernet_train, "_epoch", never)
    again = train_supernet(SPACE, BARS, epochs=10, out=out, recipe=RECIPE, quiet=True)
    assert all(map(torch.equal, supernet.state_dict().values(), again.state_dict().values()))
    options: dict[str, Any] = {"seed": 1, "out": out, "recipe": RECIPE, "quiet": True}
    with pytest.raises(SpaceError, match=r"holds a supernet of epochs 10, not 12; give another fo"):
        train_supernet(SPACE, BARS, epochs=12, **options)
    with pytest.raises(AssertionError, match="trained again"):
        train_supernet(SPACE, BARS, epochs=12, resume=False, **options)
    with pytest.raises(SpaceError, match="its supernet is of another space; train one for other"):
        load_supernet(out, replace(SPACE, name="other"))
    with pytest.raises(SpaceError, match="no supernet; `shiftadd search` trains one"):
        load_supernet(out / "none", SPACE)
    with pytest.raises(SpaceError, match="supernet epochs 0 must be at least 1"):
        train_supernet(SPACE, BARS, epochs=0, out=out, quiet=True)


def test_damaged_weights_are_named(trained: tuple[SuperNet, Path], tmp_path: Path) -> None:
    for name in ("supernet.json", "supernet.safetensors"):
        (tmp_path / name).write_bytes((trained[1] / name).read_bytes()[:-100])
    with pytest.raises(SpaceError, match=r"supernet\.json: not JSON"):
        load_supernet(tmp_path, SPACE)
    (tmp_path / "supernet.json").write_bytes((trained[1] / "supernet.json").read_bytes())
    with pytest.raises(SpaceError, match=r"safetensors: not safetensors \(.*\); delete it"):
        load_supernet(tmp_path, SPACE)


def test_two_trainings_of_one_supernet_are_not_mixed(tmp_path: Path) -> None:
    with folder_lock(tmp_path, "training"), pytest.raises(FolderInUseError, match="another train"):
        train_supernet(SPACE, BARS, epochs=1, out=tmp_path, recipe=RECIPE, quiet=True)


def test_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(out: str) -> SuperNet:
        return train_supernet(SPACE, BARS, epochs=3, out=tmp_path / out, recipe=RECIPE, quiet=True)

    whole, record = run("whole"), TrainingRun.record

    def interrupted(self: TrainingRun, row: dict[str, Any], *rest: Any) -> None:
        record(self, row, *rest)
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainingRun, "record", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run("cut")
    cut = run("cut")
    assert all(map(torch.equal, whole.state_dict().values(), cut.state_dict().values()))
    rows = (tmp_path / "cut" / "log.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("kinds", [("shift", "add"), ("add",)])
def test_space_without_products_has_a_teacher(kinds: tuple[str, ...]) -> None:
    assert set(teacher(SPACE.restrict(kinds)).kinds) == {kinds[0]}


def test_two_processes_agree(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "search.supernet.supernet_train", "--data", "digits",
        "--epochs", "1", "--out", str(tmp_path),
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    about = json.loads((tmp_path / "supernet.json").read_text())
    assert len(about["curve"]) == 1
    assert about["curve"][0]["largest"] > 0.3
