"""Training: an Architecture and a Dataset to an integer Network, in one loop.

Three stages share one cosine of the learning rate: float, quantised, and integer (batch norm frozen and
folded, the forward pass equal to the golden model's).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.nn import functional as F

from model import arch as architectures
from model import golden, store
from model.arch import Architecture
from model.data import Dataset
from model.layers import Weighted
from model.net import Net, export
from model.ops import ops
from model.spec import Network, Requantise

LOG, CHECKPOINT, NETWORK = "log.jsonl", "checkpoint.pt", "network"


class TrainError(ValueError):
    """A request that cannot be trained; the message names the bad value, the rule and the way out."""


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults suit both small data sets.

    `float_until` and `quantised_until` are shares of the epochs at which the stages end. `shift` is the
    largest random translation in pixels. With a teacher the loss is (1 − distill) · cross-entropy +
    distill · T² · KL(teacher ‖ student) at `temperature` T.
    """

    batch: int = 64
    rate: float = 4e-3
    decay: float = 0.02
    warmup: float = 0.05
    smoothing: float = 0.05
    shift: int = 1
    float_until: float = 0.3
    quantised_until: float = 0.85
    distill: float = 0.7
    temperature: float = 2.0


@dataclass(frozen=True)
class TrainResult:
    """`accuracy`: share right of the test images at the end of each stage; `integer` is the golden model's."""

    network: Network
    accuracy: dict[str, float]
    weights: int
    epochs: int
    seconds: float


def train(
    arch: Architecture, data: Dataset, *, epochs: int, seed: int = 0, out: Path | None = None, resume: bool = False,
    teacher: Network | None = None, start: dict[str, Tensor] | None = None, recipe: Recipe | None = None,
    quiet: bool = False,
) -> TrainResult:  # fmt: skip
    """Train `arch` on `data` for `epochs`.

    `out`, a folder, receives log.jsonl (one line an epoch), checkpoint.pt after each epoch, and the
    Network; an interrupted run goes on from there with `resume`. `start` is a state of Net to begin
    with (missing and differently shaped tensors are skipped). Raises TrainError.
    """
    recipe = recipe or Recipe()
    _check(arch, data, epochs)
    torch.manual_seed(seed)
    net = Net(arch)
    if start:
        _inherit(net, start)
    optimiser = torch.optim.AdamW(_groups(net, recipe), betas=(0.9, 0.99))
    run = _Run(out, {"arch": arch.id, "data": data.name, "epochs": epochs, "seed": seed, **asdict(recipe)})
    state = run.restore(net, optimiser) if resume else run.fresh()
    images, labels = torch.from_numpy(data.train_images), torch.from_numpy(data.train_labels)
    tests = torch.from_numpy(data.test_images), torch.from_numpy(data.test_labels)
    steps = math.ceil(len(images) / recipe.batch)

    with _progress(quiet) as progress:
        task = progress.add_task(arch.name, total=epochs, completed=state["epoch"], note="")
        for epoch in range(state["epoch"], epochs):
            _enter(net, _stage(recipe, epoch, epochs), _stage(recipe, epoch - 1, epochs), images)
            lap, total, right = time.monotonic(), 0.0, 0
            batches = _batches(images, labels, recipe, data.flips, seed * 100_003 + epoch)
            for step, (x, y) in enumerate(batches, epoch * steps):
                _set_rate(optimiser, recipe, step / (epochs * steps))
                scores = net(x)
                loss = _loss(scores, y, _teach(teacher, x), recipe)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total, right = total + loss.item() * len(y), right + int((scores.argmax(1) == y).sum())
            stage, accuracy = _stage(recipe, epoch, epochs), evaluate(net, *tests)
            state["accuracy"][stage] = accuracy
            state["epoch"], state["seconds"] = epoch + 1, state["seconds"] + time.monotonic() - lap
            row = {
                "epoch": epoch + 1, "stage": stage, "loss": total / len(images), "train": right / len(images),
                "test": accuracy, "seconds": round(time.monotonic() - lap, 2),
            }  # fmt: skip
            run.record(row, net, optimiser, state)
            progress.update(task, advance=1, note=f"{stage} loss {row['loss']:.3f} test {accuracy:.4f}")

    network = export(net, data.classes)
    accuracy = state["accuracy"] | {"integer": golden.accuracy(network, *tests)}
    network.about.update(data=data.name, seed=seed, epochs=epochs, accuracy=accuracy)
    run.finish(arch, network)
    return TrainResult(network, accuracy, network.weight_count, epochs, state["seconds"])


@torch.no_grad()
def evaluate(net: Net, images: Tensor, labels: Tensor, batch: int = 512) -> float:
    """Share of `images` (N, H, W, C) that `net` classifies right, in eval mode, in its present stage."""
    net.eval()
    right = sum(int((net(x).argmax(1) == y).sum()) for x, y in zip(images.split(batch), labels.split(batch), strict=True))
    net.train()
    return right / len(labels)


def _check(arch: Architecture, data: Dataset, epochs: int) -> None:
    if epochs < 1:
        raise TrainError(f"epochs {epochs} must be at least 1")
    if arch.shape != data.shape:
        raise TrainError(f"{arch.name}: takes images {arch.shape}, {data.name} has {data.shape}; change shape")
    if arch.input_bits != data.format.bits:
        raise TrainError(
            f"{arch.name}: input_bits {arch.input_bits}, {data.name} has {data.format.bits}; change input_bits"
        )
    if arch.classes != len(data.classes):
        raise TrainError(
            f"{arch.name}: gives {arch.classes} scores, {data.name} has {len(data.classes)} classes; "
            "change channels of the last block"
        )


def _stage(recipe: Recipe, epoch: int, epochs: int) -> str:
    share = (epoch + 1) / epochs
    return "float" if share <= recipe.float_until else "quantised" if share <= recipe.quantised_until else "integer"


def _enter(net: Net, stage: str, before: str, images: Tensor) -> None:
    """Put `net` into `stage`; binary points are calibrated on 512 images as the float stage ends."""
    if before == "float" and stage != "float":
        net.stage("float").eval()
        net.calibrate(images[:512])
    net.stage(stage).train()


def _groups(net: Net, recipe: Recipe) -> list[dict[str, Any]]:
    """Weights with decay, add weights at their own rate without, batch norm without."""
    weighted = [layer for _, layer in net.steps() if isinstance(layer, Weighted)]
    owned = {id(layer.weight) for layer in weighted}
    rest = [p for p in net.parameters() if id(p) not in owned and p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": rest, "scale": 1.0, "weight_decay": 0.0}]
    for layer in weighted:
        scale = ops(layer.kind).rate
        decay = recipe.decay if scale == 1 else 0.0
        groups.append({"params": [layer.weight], "scale": scale, "weight_decay": decay})
    return groups


def _set_rate(optimiser: torch.optim.Optimizer, recipe: Recipe, share: float) -> None:
    """Linear warm-up, then a cosine to zero; `share` of the training is done."""
    cosine = 0.5 + 0.5 * math.cos(math.pi * share)
    rate = recipe.rate * min(1.0, share / recipe.warmup + 1e-3) * cosine
    for group in optimiser.param_groups:
        group["lr"] = rate * group["scale"]


def _batches(images: Tensor, labels: Tensor, recipe: Recipe, flips: bool, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch in a random order, augmented; the same for the same seed."""
    rng = torch.Generator().manual_seed(seed)
    for index in torch.randperm(len(images), generator=rng).split(recipe.batch):
        yield augment(images[index], recipe.shift, flips, rng), labels[index]


def augment(images: Tensor, shift: int, flips: bool, rng: torch.Generator) -> Tensor:
    """Translate each image (N, H, W, C) by up to `shift` pixels, zeros outside; mirror half of them."""
    n, h, w, _ = images.shape
    padded = F.pad(images, (0, 0, shift, shift, shift, shift))
    top, left = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=rng)
    rows, columns = torch.arange(h) + top, torch.arange(w) + left
    if flips:
        mirror = torch.rand(n, 1, generator=rng) < 0.5
        columns = torch.where(mirror, columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _loss(scores: Tensor, labels: Tensor, taught: Tensor | None, recipe: Recipe) -> Tensor:
    loss = F.cross_entropy(scores, labels, label_smoothing=recipe.smoothing)
    if taught is None:
        return loss
    t = recipe.temperature
    pair = F.log_softmax(scores / t, 1), F.log_softmax(taught / t, 1)
    return (1 - recipe.distill) * loss + recipe.distill * t * t * F.kl_div(*pair, reduction="batchmean", log_target=True)


def _teach(teacher: Network | None, images: Tensor) -> Tensor | None:
    """Scores of the teacher as reals (N, classes)."""
    if teacher is None:
        return None
    last = teacher.nodes[-1]
    scale = teacher[last.inputs[0]]
    frac = scale.format.frac if isinstance(scale, Requantise) else 0
    return golden.run(teacher, images)[last.name].flatten(1).float() * 2.0**-frac


def _inherit(net: Net, state: dict[str, Tensor]) -> None:
    own = net.state_dict()
    net.load_state_dict(own | {k: v for k, v in state.items() if k in own and own[k].shape == v.shape})


def _progress(quiet: bool) -> Progress:
    columns = TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}")
    return Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True)


class _Run:
    """The files of one training in `folder`, or none; `request` tells one run from another."""

    def __init__(self, folder: Path | None, request: dict[str, Any]) -> None:
        self.folder, self.request = folder, request
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def fresh(self) -> dict[str, Any]:
        if self.folder:
            (self.folder / LOG).unlink(missing_ok=True)
        return {"epoch": 0, "seconds": 0.0, "accuracy": {}}

    def restore(self, net: Net, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
        """The state of the last full epoch, or a fresh one if there is none."""
        if not self.folder or not (self.folder / CHECKPOINT).exists():
            return self.fresh()
        try:
            saved = torch.load(self.folder / CHECKPOINT, weights_only=True)
            differs = [k for k, v in self.request.items() if saved["request"].get(k) != v]
        except Exception as error:  # torch raises many types for a damaged file
            raise TrainError(f"{self.folder / CHECKPOINT}: cannot be read ({type(error).__name__}); delete it") from None
        if differs:
            raise TrainError(
                f"{self.folder}: holds a run with {differs[0]} {saved['request'].get(differs[0])!r}, not "
                f"{self.request[differs[0]]!r}; resume with the same request or give another folder"
            )
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        state: dict[str, Any] = saved["state"]
        return state

    def record(self, row: dict[str, Any], net: Net, optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Checkpoint first, then the log line: a run cut between the two only lacks a line."""
        if not self.folder:
            return
        fresh = self.folder / f".{CHECKPOINT}.{os.getpid()}"
        torch.save(
            {"request": self.request, "net": net.state_dict(), "optimiser": optimiser.state_dict(), "state": state}, fresh
        )
        fresh.replace(self.folder / CHECKPOINT)
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")

    def finish(self, arch: Architecture, network: Network) -> None:
        if self.folder:
            architectures.save(arch, self.folder / "architecture.json")
            store.save(network, self.folder / NETWORK)
