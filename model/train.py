"""Training: an Architecture and a Dataset to an integer Network, in one loop.

Three stages share one cosine of the learning rate: float, quantised, and integer (batch norm frozen
and folded, the forward pass equal to the golden model's).
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from torch import Tensor
from torch.nn import functional as F

from model import golden
from model.arch import Architecture
from model.augment import batches
from model.checkpoint import TrainError, TrainingRun
from model.data import Dataset
from model.kinds import kind
from model.layers import STAGES, Weighted
from model.net import Net, export
from model.ops import ops
from model.spec import Conv, Dense, Network
from model.store import content_hash
from model.teacher import Teacher
from model.terminal import console, literal

__all__ = ["Recipe", "TrainError", "TrainResult", "evaluate", "recipe_for", "train"]

JUDGED = 2000
"""Training images by which the ends of two stages are compared."""


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults suit small images, and `recipe_for` fits them to others.

    `float_until` and `quantised_until`: shares of the epochs at which these stages end. `shift`:
    the largest random translation in pixels. With a teacher the loss is (1 − distill) ·
    cross-entropy + distill · T² · KL(teacher ‖ student) at `temperature` T (Hinton et al., arXiv
    1503.02531).
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


def recipe_for(data: Dataset, weights: int) -> Recipe:
    """Batches and translations that fit the number and the size of the images.

    A network of fewer than 2000 `weights` has no room to learn translations, and wants a larger
    rate (396 weights on a validation split of digits: 0.951 right without them, 0.923 with).
    """
    batch = 64 if len(data.train_labels) < 10_000 else 128
    if weights < 2000:
        return Recipe(batch=batch, rate=0.02, decay=0.0, shift=0)
    return Recipe(batch=batch, shift=max(1, min(data.shape[:2]) // 14))


@dataclass(frozen=True)
class TrainResult:
    """`accuracy`: share of the test images at the end of each stage, `integer` by the golden model.

    `seconds` are those of the epochs, over all interrupted parts of the run.
    """

    network: Network
    accuracy: dict[str, float]
    weights: int
    epochs: int
    seconds: float

    def as_dict(self, folder: Path) -> dict[str, Any]:
        """For JSON. folder: of the network."""
        return {
            "accuracy": self.accuracy,
            "weights": self.weights,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "network": str(folder),
            "network_hash": content_hash(self.network),
        }


def train(
    arch: Architecture, data: Dataset, *, epochs: int, seed: int = 0, out: Path | None = None,
    resume: bool = False, teacher: Teacher | None = None, start: Network | None = None,
    initial: Net | None = None, recipe: Recipe | None = None, quiet: bool = False,
) -> TrainResult:  # fmt: skip
    """Train `arch` on `data`; the same request gives the same Network on the same machine.

    `out`, a folder, receives log.jsonl (a line an epoch), checkpoint.pt after each epoch, arch.json
    and the Network; `resume` goes on from an interrupted run there. `start` is a trained network
    with whose mult and shift weights training begins, where name and shape agree (progressive
    training: mult, then add). `initial`, a Net of `arch`, is gone on from with its whole state.
    `recipe`: by default what `recipe_for` gives. Raises TrainError.
    """
    _check(arch, data, epochs, initial)
    torch.manual_seed(seed)
    net = Net(arch)
    recipe = recipe or recipe_for(data, sum(w.weight.numel() for w in _weighted(net)))
    if start:
        _adopt(net, start)
    if initial:
        net.load_state_dict(initial.state_dict())
    optimiser = torch.optim.AdamW(_groups(net, recipe), betas=(0.9, 0.99))
    request = {"arch": arch.id, "data": data.name, "epochs": epochs, "seed": seed}
    request |= asdict(recipe)
    request["teacher"] = teacher.hash if teacher else ""
    request["start"] = content_hash(start) if start else ""
    if initial:
        request["initial"] = _digest(initial)
    run = TrainingRun(out, request)
    state = run.restore(net, optimiser) if resume else run.fresh()
    images, labels = torch.from_numpy(data.train_images), torch.from_numpy(data.train_labels)
    tests = torch.from_numpy(data.test_images), torch.from_numpy(data.test_labels)
    keeps = teacher is not None and teacher.kept is not None
    digest = hashlib.sha256(data.train_images.tobytes()).hexdigest() if keeps else ""
    steps = math.ceil(len(images) / recipe.batch)

    with progress_bar(quiet) as progress:
        task = progress.add_task(arch.name, total=epochs, completed=state.epoch, note="")
        for epoch in range(state.epoch, epochs):
            began, total, right = time.monotonic(), 0.0, 0
            stage = stage_of(recipe, epoch, epochs)
            if stage != "float" and epoch and stage_of(recipe, epoch - 1, epochs) == "float":
                net.stage("float").eval()
                net.calibrate(images[:512])
            if stage == "integer" and state.quantised is None:
                state.quantised = {k: v.clone() for k, v in net.state_dict().items()}
            net.stage(stage).train()
            how: dict[str, Any] = {
                "size": recipe.batch, "shift": recipe.shift, "flips": data.flips,
                "seed": seed * 100_003 + epoch,
            }  # fmt: skip
            lot = batches(images, labels, **how)
            shown = (
                teacher.beside(lot, how | {"images": digest})
                if teacher
                else ((x, y, None) for x, y in lot)
            )
            for step, (x, y, taught) in enumerate(shown, epoch * steps):
                set_rate(optimiser, recipe, step / (epochs * steps))
                scores = net(x)
                loss = loss_of(scores, y, taught, recipe)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                total += loss.item() * len(y)
                right += int((scores.argmax(1) == y).sum())
            state.accuracy[stage] = evaluate(net, *tests)
            state.epoch, lap = epoch + 1, time.monotonic() - began
            state.seconds += lap
            row = {
                "epoch": state.epoch, "stage": stage, "loss": total / len(images),
                "train": right / len(images), "test": state.accuracy[stage], "seconds": lap,
            }  # fmt: skip
            run.record(row, net, optimiser, state)
            note = f"{stage}  loss {row['loss']:.3f}  test {row['test']:.4f}"
            progress.update(task, advance=1, note=note)

    accuracy = {s: state.accuracy.get(s) or evaluate(net.stage(s), *tests) for s in STAGES}
    network = _sounder(net, state.quantised, images[:JUDGED], labels[:JUDGED], data.classes)
    accuracy["integer"] = golden.accuracy(network, *tests)
    network.about.update(
        name=arch.name, data=data.name, seed=seed, epochs=epochs, accuracy=accuracy
    )
    run.finish(arch, network)
    return TrainResult(network, accuracy, network.weight_count, epochs, state.seconds)


@torch.no_grad()
def scores_of(net: Net, images: Tensor, batch: int = 512) -> Tensor:
    """Scores (N, classes) of `images` (N, H, W, C) in eval mode, in the net's present stage."""
    net.eval()
    return torch.cat([net(lot) for lot in images.split(batch)])


def share_right(scores: Tensor, labels: Tensor) -> float:
    """Share of the highest scores (N, classes) that are those of `labels`."""
    return int((scores.argmax(1) == labels).sum()) / len(labels)


def evaluate(net: Net, images: Tensor, labels: Tensor) -> float:
    """Share of `images` (N, H, W, C) that `net` gets right in eval mode, in its present stage."""
    return share_right(scores_of(net, images), labels)


def _sounder(
    net: Net, before: dict[str, Tensor] | None, images: Tensor, labels: Tensor,
    classes: tuple[str, ...],
) -> Network:  # fmt: skip
    """The integer Network of `net`, or of its state `before` the integer stage if that is better.

    With batch norm frozen nothing holds activations in place: where epochs are few and the rate is
    still high, one of thirty networks of add layers fell from 80 % to chance.
    """
    network = export(net, classes)
    if before is None:
        return network
    earlier = Net(net.arch)
    earlier.load_state_dict(before)
    other = export(earlier, classes)
    gained = golden.accuracy(network, images, labels) - golden.accuracy(other, images, labels)
    return network if gained >= 0 else other


def _check(arch: Architecture, data: Dataset, epochs: int, initial: Net | None) -> None:
    if epochs < 1:
        raise TrainError(f"epochs {epochs} must be at least 1")
    if initial and initial.arch.id != arch.id:
        raise TrainError(
            f"{arch.name}: initial is a net of {initial.arch.name}; it must have the same blocks"
        )
    wanted = {
        "shape": (arch.shape, data.shape), "input_bits": (arch.input_bits, data.format.bits),
        "channels of the last block": (arch.classes, len(data.classes)),
    }  # fmt: skip
    for name, (given, need) in wanted.items():
        if given != need:
            raise TrainError(
                f"{arch.name}: {name} {given} does not suit {data.name}; it must be {need}"
            )


def stage_of(recipe: Recipe, epoch: int, epochs: int) -> str:
    """The stage of an epoch. A batch norm can freeze only after an epoch that filled it."""
    share = (epoch + 1) / epochs
    if share <= recipe.float_until:
        return "float"
    return "quantised" if share <= recipe.quantised_until or epoch == 0 else "integer"


def _weighted(net: Net) -> list[Weighted]:
    return [layer for _, layer in net.steps() if isinstance(layer, Weighted)]


def _groups(net: Net, recipe: Recipe) -> list[dict[str, Any]]:
    """Weights with decay, weights with a rate of their own (add) without, batch norm without."""
    weighted = _weighted(net)
    owned = {id(layer.weight) for layer in weighted}
    rest = [p for p in net.parameters() if id(p) not in owned and p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": rest, "scale": 1.0, "weight_decay": 0.0}]
    for layer in weighted:
        scale = ops(layer.kind).rate
        decay = recipe.decay if scale == 1 else 0.0
        groups.append({"params": [layer.weight], "scale": scale, "weight_decay": decay})
    return groups


def set_rate(optimiser: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
    """Linear warm-up, then a cosine to zero; `done` is the share of the training behind us."""
    cosine = 0.5 + 0.5 * math.cos(math.pi * done)
    rate = recipe.rate * min(1.0, done / recipe.warmup + 1e-3) * cosine
    for group in optimiser.param_groups:
        group["lr"] = rate * group["scale"]


def loss_of(scores: Tensor, labels: Tensor, taught: Tensor | None, recipe: Recipe) -> Tensor:
    """Cross-entropy, distilled from a teacher's scores `taught` if there are any: see Recipe."""
    loss = F.cross_entropy(scores, labels, label_smoothing=recipe.smoothing)
    if taught is None:
        return loss
    t = recipe.temperature
    ours, theirs = F.log_softmax(scores / t, 1), F.log_softmax(taught / t, 1)
    gap = F.kl_div(ours, theirs, reduction="batchmean", log_target=True)
    return (1 - recipe.distill) * loss + recipe.distill * t * t * gap


@torch.no_grad()
def _adopt(net: Net, start: Network) -> None:
    trained = {node.name: node for node in start if isinstance(node, Conv | Dense)}
    for name, layer in net.steps():
        node = trained.get(name)
        if not isinstance(layer, Weighted) or node is None:
            continue
        if not kind(node.kind).linear:
            continue
        w = torch.from_numpy(node.weights).float()
        w = w.permute(0, 3, 1, 2) if isinstance(node, Conv) else w[:, :, None, None]
        if w.shape == layer.weight.shape:
            layer.weight.copy_(ops(layer.kind).adopt(w))


def _digest(net: Net) -> str:
    digest = hashlib.sha256()
    for tensor in net.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def progress_bar(quiet: bool, *, transient: bool = True) -> Progress:
    """On stderr, for tasks with a `note`."""
    columns = literal("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn()
    note = literal("{task.fields[note]}")
    return Progress(
        *columns, note, console=console(stderr=True), disable=quiet, transient=transient
    )
