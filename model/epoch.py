"""Passes of a net over training images, and what it makes of images that it is judged by.

All is done where the net is: `images` and `labels` of a pass lie there, those by which it is judged
are brought there in parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from model.augment import batches
from model.data import Dataset
from model.device import repeatable
from model.layers import Weighted
from model.net import Net
from model.recipe import Recipe, class_weights, loss_of, set_rate
from model.teacher import Teacher

SUMS = (torch.float64, torch.int64)
"""Of losses, and of what is right. They stay on the device: who asks a GPU for a number waits for
all that it was told to do."""


@dataclass(frozen=True)
class Passes:
    """Those of a training of so many `epochs` over the training part of `data`.

    images, labels: of that part, where the net is.
    """

    data: Dataset
    images: Tensor
    labels: Tensor
    recipe: Recipe
    epochs: int
    seed: int
    teacher: Teacher | None

    def one(self, net: Net, optimiser: torch.optim.Optimizer, epoch: int) -> tuple[float, float]:
        """Trains `net` for an epoch: mean loss, share right."""
        recipe, weights, count = self.recipe, self._weights(), len(self.images)
        steps = math.ceil(count / recipe.batch)
        total, right = (torch.zeros((), dtype=d, device=self.images.device) for d in SUMS)
        for step, (x, y, taught) in enumerate(self._lots(epoch), epoch * steps):
            set_rate(optimiser, recipe, step / (self.epochs * steps))
            scores = net(x)
            loss = loss_of(scores, y, taught, recipe, weights)
            if recipe.sparsity:
                sizes = sum(layer.mean_size() for layer in weighted_layers(net))
                loss = loss + recipe.sparsity * sizes
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.detach().double() * len(y)
            right += (scores.argmax(1) == y).sum()
        return float(total) / count, int(right) / count

    def _weights(self) -> Tensor | None:
        """Of the classes, in the loss."""
        if not self.recipe.weighted:
            return None
        weights = class_weights(self.data.train_labels, len(self.data.classes))
        return weights.to(self.images.device)

    def _lots(self, epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Batches of (images, labels, the teacher's scores)."""
        recipe = self.recipe
        how: dict[str, Any] = {
            "size": recipe.batch, "shift": recipe.shift, "flips": recipe.flips,
            "seed": self.seed * 100_003 + epoch,
        }  # fmt: skip
        lots = batches(self.images, self.labels, **how)
        if self.teacher is None:
            yield from ((x, y, None) for x, y in lots)
        else:
            yield from self.teacher.beside(lots, how | {"data": self.data.digest})


@torch.no_grad()
def scores_of(net: Net, images: Tensor, batch: int = 512) -> Tensor:
    """Scores (N, classes) of `images` (N, H, W, C) in eval mode, in the net's present stage; on the
    CPU."""
    net.eval()
    with repeatable(net.device):
        scores = torch.cat([net(lot.to(net.device)) for lot in images.split(batch)])
    return scores.cpu()


def share_right(scores: Tensor, labels: Tensor) -> float:
    """Share of the highest scores (N, classes) that are those of `labels`."""
    return int((scores.argmax(1) == labels).sum()) / len(labels)


def evaluate(net: Net, images: Tensor, labels: Tensor) -> float:
    """Share of `images` (N, H, W, C) that `net` gets right in eval mode, in its present stage.

    labels: on the CPU.
    """
    return share_right(scores_of(net, images), labels)


def weighted_layers(net: Net) -> list[Weighted]:
    """Those that have weights, in order."""
    return [layer for _, layer in net.steps() if isinstance(layer, Weighted)]
