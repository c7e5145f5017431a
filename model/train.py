"""Training: an Architecture and a Dataset to an integer Network, in one loop.

Three stages share one cosine of the learning rate: float, quantised, and integer (batch norm frozen
and folded, the forward pass equal to the golden model's).
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model import golden
from model.advice import advice
from model.arch import Architecture
from model.checkpoint import TrainError, TrainingRun
from model.confusion import ConfusionMatrix, confusion
from model.data import Dataset
from model.data.summary import summarise
from model.device import AUTO, device_of, named, repeatable
from model.epoch import Passes, evaluate, weighted_layers
from model.epoch_log import epochs_shown
from model.kinds import kind
from model.layers import Weighted
from model.net import Net, export
from model.ops import ops
from model.recipe import (
    Recipe,
    choose,
    epochs_for,
    recipe_for,
    stage_of,
    threads,
)
from model.spec import Conv, Dense, Network
from model.store import content_hash
from model.teacher import Teacher
from model.trainable import STAGES

__all__ = ["TrainError", "TrainResult", "evaluate", "train"]

JUDGED = 2000
"""Training images by which the ends of two stages are compared."""


@dataclass(frozen=True)
class TrainResult:
    """`accuracy`: share of the test images at the end of each stage, `integer` by the golden model.

    `seconds` are those of the epochs, over all interrupted parts of the run. `confusion`: of the
    integer network on the test images. `data`: the summary of what it was trained on. `advice`:
    sentences on what went less well than it could, with what helps; often none.
    """

    network: Network
    accuracy: dict[str, float]
    weights: int
    epochs: int
    seconds: float
    confusion: ConfusionMatrix
    recipe: Recipe
    data: dict[str, Any] = field(default_factory=dict)
    advice: tuple[str, ...] = ()

    @property
    def per_class(self) -> dict[str, float | None]:
        """Share of each class's test images that are right; None for a class without any."""
        return self.confusion.per_class

    def as_dict(self, folder: Path) -> dict[str, Any]:
        """For JSON. folder: of the network."""
        return {
            "accuracy": self.accuracy,
            "per_class": self.per_class,
            "confusion": [list(row) for row in self.confusion.counts],
            "advice": list(self.advice),
            "weights": self.weights,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "recipe": asdict(self.recipe),
            "dataset": self.data,
            "network": str(folder),
            "network_hash": content_hash(self.network),
        }


def train(
    arch: Architecture, data: Dataset, *, epochs: int | None = None, seed: int = 0,
    out: Path | None = None, resume: bool = False, force: bool = False,
    teacher: Teacher | None = None, start: Network | None = None, initial: Net | None = None,
    recipe: Recipe | None = None, quiet: bool = False, device: str = AUTO, **chosen: Any,
) -> TrainResult:  # fmt: skip
    """Train `arch` on `data`; the same request gives the same Network on the same machine.

    Sums are worked out in `recipe.threads` threads, whatever OMP_NUM_THREADS and the number of
    cores: the network depends on them, see THREADS.

    epochs: by default what `epochs_for` gives. `out`, a folder, receives log.jsonl (a line an
    epoch), checkpoint.pt after each epoch, arch.json and the Network; `resume` goes on from an
    interrupted run of the same request there, and with `force` a run that is there is replaced;
    one process at a time trains there. `start` is a trained network with whose mult and shift
    weights training begins, where name and shape agree (progressive training: mult, then add).
    `initial`, a Net of `arch`, is gone on from with its whole state. `recipe`: by default what
    `recipe_for` gives for what is `chosen` (see model.recipe.CHOICES). device: see
    model.device.device_of. Raises TrainError, RecipeError, RequestError, FolderInUseError.
    """
    epochs = epochs_for(data) if epochs is None else epochs
    _check(arch, data, epochs, initial)
    where = device_of(device)
    torch.manual_seed(seed)
    net = Net(arch)
    recipe = recipe or recipe_for(data, sum(w.weight.numel() for w in weighted_layers(net)))
    recipe = choose(recipe, data, **chosen)
    if start:
        _adopt(net, start)
    if initial:
        net.load_state_dict(initial.state_dict())
    request = {"arch": arch.id, "data": data.name, "data_hash": data.digest, "epochs": epochs}
    request |= {"seed": seed} | asdict(recipe)
    request["teacher"] = teacher.hash if teacher else ""
    request["start"] = content_hash(start) if start else ""
    if initial:
        request["initial"] = _digest(initial)
    run = TrainingRun(out, request | named(where))
    with run.held(), threads(recipe.threads), repeatable(where):
        run.claim(resume=resume, force=force)
        return _trained(net.to(where), data, recipe, epochs, seed, run, teacher, quiet)


def _trained(
    net: Net, data: Dataset, recipe: Recipe, epochs: int, seed: int, run: TrainingRun,
    teacher: Teacher | None, quiet: bool,
) -> TrainResult:  # fmt: skip
    """All epochs of `run` that are left, and the Network behind them."""
    arch = net.arch
    optimiser = torch.optim.AdamW(_groups(net, recipe), betas=(0.9, 0.99), fused=True)
    state = run.restore(net, optimiser)
    images, labels = torch.from_numpy(data.train_images), torch.from_numpy(data.train_labels)
    tests = torch.from_numpy(data.test_images), torch.from_numpy(data.test_labels)
    there = images.to(net.device), labels.to(net.device)
    passes = Passes(data, *there, recipe, epochs, seed, teacher)
    held_out = tests[0].to(net.device), tests[1]
    with epochs_shown(quiet, arch.name, epochs, state.epoch) as say:
        for epoch in range(state.epoch, epochs):
            began = time.monotonic()
            stage = stage_of(recipe, epoch, epochs)
            if stage != "float" and epoch and stage_of(recipe, epoch - 1, epochs) == "float":
                net.stage("float").eval()
                net.calibrate(there[0][:512])
            if stage == "integer" and state.quantised is None:
                state.quantised = {k: v.clone() for k, v in net.state_dict().items()}
            net.stage(stage).train()
            loss, right = passes.one(net, optimiser, epoch)
            state.accuracy[stage] = evaluate(net, *held_out)
            state.epoch, lap = epoch + 1, time.monotonic() - began
            state.seconds += lap
            row = {
                "epoch": state.epoch, "stage": stage, "loss": loss, "train": right,
                "test": state.accuracy[stage], "seconds": lap,
            }  # fmt: skip
            run.record(row, net, optimiser, state)
            say(state.epoch, f"{stage} loss {loss:.3f} test {row['test']:.4f}")
    accuracy = {s: state.accuracy.get(s) or evaluate(net.stage(s), *held_out) for s in STAGES}
    judged = images[:JUDGED], labels[:JUDGED]
    network = _sounder(net, state.quantised, *judged, data.classes)
    matrix = confusion(golden.predict(network, tests[0]), data.test_labels, data.classes)
    accuracy["integer"] = golden.accuracy(network, *tests)
    network.about.update(name=arch.name, seed=seed, epochs=epochs, accuracy=accuracy)
    network.about.update(about_data(data))
    run.finish(arch, network)
    said = advice(
        accuracy, matrix, trained=golden.accuracy(network, *judged), table=data.table,
        weighted=recipe.weighted,
    )  # fmt: skip
    return TrainResult(
        network, accuracy, network.weight_count, epochs, state.seconds, matrix, recipe,
        summarise(data).as_dict(), said,
    )  # fmt: skip


def about_data(data: Dataset) -> dict[str, Any]:
    """What a Network says in `about` of the data that it is made for: by what it is loaded again,
    the hash of its content, how numbers become integers."""
    said = {"data": data.name, "data_source": data.source, "data_hash": data.digest}
    return said | ({"input": asdict(data.scaling)} if data.scaling else {})


def _sounder(
    net: Net, before: dict[str, Tensor] | None, images: Tensor, labels: Tensor,
    classes: tuple[str, ...],
) -> Network:  # fmt: skip
    """The integer Network of `net`, or of its state `before` the integer stage if `net` has fallen.

    With batch norm frozen nothing holds activations in place: where epochs are few and the rate is
    still high, one of thirty networks of add layers fell from 80 % to chance. A difference that
    chance makes is no fall: of the images that one of the two alone gets right, two standard
    errors.
    """
    network = export(net, classes)
    if before is None:
        return network
    earlier = Net(net.arch)
    earlier.load_state_dict(before)
    other = export(earlier, classes)
    now, then = (golden.predict(each, images) == labels for each in (network, other))
    lost, won = int((then & ~now).sum()), int((now & ~then).sum())
    return other if lost - won > 2 * math.sqrt(lost + won) else network


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
                f"{arch.name}: {name} {given} does not suit {data.name}; it must be {need}. "
                "Built-in architectures take both ends from the data, files with --fit-classes"
            )


def _groups(net: Net, recipe: Recipe) -> list[dict[str, Any]]:
    """Weights with decay, weights with a rate of their own (add) without, batch norm without."""
    weighted = weighted_layers(net)
    owned = {id(layer.weight) for layer in weighted}
    rest = [p for p in net.parameters() if id(p) not in owned and p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": rest, "scale": 1.0, "weight_decay": 0.0}]
    for layer in weighted:
        scale = ops(layer.kind).rate
        decay = recipe.decay if scale == 1 else 0.0
        groups.append({"params": [layer.weight], "scale": scale, "weight_decay": decay})
    return groups


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
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
