"""How to train: batches, rates, stages, loss; and what suits a data set.

Three stages share one cosine of the learning rate: float, quantised, and integer (batch norm frozen
and folded, the forward pass equal to the golden model's).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.data import Dataset
from model.errors import ShiftaddError

THREADS = 2
"""Of a training. Sums depend on their number, so it is fixed and part of the recipe: the same
request gives the same network under any OMP_NUM_THREADS. Two are 1.25 times as fast as one on
Fashion-MNIST and equal on 8×8 images; small layers do not fill more."""


class RecipeError(ShiftaddError, ValueError):
    """A setting of a training is outside its range; the message names value and rule."""


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults suit small images, and `recipe_for` fits them to others.

    `float_until` and `quantised_until`: shares of the epochs at which these stages end. `shift`:
    the largest random translation in pixels. `flips`: half of the images are mirrored. `weighted`:
    classes count alike in the loss, however many images each has. `sparsity`: share in the loss of
    the mean size of each layer's weights: more of them become 0, which wired layers do not pay for.
    With a teacher the loss is
    (1 − distill) · cross-entropy + distill · T² · KL(teacher ‖ student) at `temperature` T (Hinton
    et al., arXiv 1503.02531). `threads`: on which sums, and so the network, depend.

    >>> recipe = shiftadd.Recipe(batch=32, shift=0)
    >>> made = shiftadd.train("digits_mlp", data="digits", epochs=1, recipe=recipe, out="by-recipe")
    >>> made.result.recipe.batch
    32
    """

    batch: int = 64
    rate: float = 4e-3
    decay: float = 0.02
    warmup: float = 0.05
    smoothing: float = 0.05
    shift: int = 1
    flips: bool = False
    weighted: bool = False
    sparsity: float = 0.0
    float_until: float = 0.3
    quantised_until: float = 0.85
    distill: float = 0.7
    temperature: float = 2.0
    threads: int = THREADS

    def __post_init__(self) -> None:
        rules = {
            "batch": (self.batch >= 2, "at least 2, as batch norm needs two images"),
            "rate": (0 <= self.rate <= 10, "0 to 10"),
            "decay": (0 <= self.decay <= 10, "0 to 10"),
            "smoothing": (0 <= self.smoothing < 1, "at least 0 and less than 1"),
            "shift": (self.shift >= 0, "at least 0"),
            "sparsity": (0 <= self.sparsity <= 100, "0 to 100"),
            "threads": (self.threads >= 1, "at least 1"),
        }
        for name, (ok, rule) in rules.items():
            if not ok:
                raise RecipeError(f"--{name} {getattr(self, name)}: must be {rule}")


CHOICES = ("batch", "rate", "smoothing", "shift", "flips", "weighted", "sparsity")
"""The fields of a Recipe that a user chooses."""


def recipe_for(data: Dataset, weights: int, **chosen: Any) -> Recipe:
    """What suits kind, number and size of the images, but for what is `chosen` (None: not chosen).

    Tables are neither moved nor mirrored, and want a larger rate (a validation split of Letter:
    0.972 right, 0.968 without). Few rows of few classes are kept from being learnt by heart by
    smooth labels and few passes. These are chosen by repeated folds of the training part of breast
    cancer: 97.7 % of the rows held out are right, as by logistic regression, and smoothing of 0.1
    to 0.5, decay of 0 to 1, batches of 128, half or twice the passes change that by less than
    0.3 %. Layers of tables are too small for two threads. A network of fewer than 2000 `weights`
    has no room to learn translations of images, and wants a larger rate too (396 weights on a
    validation split of digits: 0.951 right without them, 0.923 with).
    Raises RecipeError.
    """
    recipe = Recipe(batch=_batch(data), flips=data.flips)
    if data.table:
        few = _few(data)
        recipe = replace(
            recipe,
            shift=0,
            flips=False,
            threads=1,
            rate=0.01,
            smoothing=0.3 if few else 0.0,
            decay=0.1 if few else recipe.decay,
        )
    elif weights < 2000:
        recipe = replace(recipe, rate=0.02, decay=0.0, shift=0)
    else:
        side = min(data.shape[:2])
        recipe = replace(recipe, shift=min(max(1, side // 14), side - 1))
    return choose(recipe, data, **chosen)


EPOCHS, STEPS, MOST_EPOCHS = 60, 450, 400
"""Passes that are usual, the fewest steps of a training, and the most passes for these."""
FEW_ROWS, FEW_CLASSES = 2000, 16
"""Of a table. Fewer rows, of no more classes, are smoothed: in folds of training parts, rows of
digits gain (500 of them: 97.4 % for 96.4 %), rows of 26 letters lose (1500: 85.3 % for 86.2 %)."""


def epochs_for(data: Dataset) -> int:
    """Passes over the training part: EPOCHS, or half of them where a table has few rows; more
    where few images or rows make few steps."""
    count = len(data.train_labels)
    usual = EPOCHS // 2 if data.table and _few(data) else EPOCHS
    return min(MOST_EPOCHS, max(usual, math.ceil(STEPS / math.ceil(count / _batch(data)))))


def _few(data: Dataset) -> bool:
    return len(data.train_labels) < FEW_ROWS and len(data.classes) <= FEW_CLASSES


def _batch(data: Dataset) -> int:
    count = len(data.train_labels)
    if data.table and count < FEW_ROWS:
        return 32
    return 64 if count < 10_000 else 128


def choose(recipe: Recipe, data: Dataset, **chosen: Any) -> Recipe:
    """`recipe` with what is `chosen` and not None; raises RecipeError for what suits no `data`."""
    given = {name: value for name, value in chosen.items() if value is not None}
    if unknown := given.keys() - {field.name for field in fields(recipe)}:
        raise RecipeError(f"{min(unknown)}: no setting; they are {', '.join(CHOICES)}")
    recipe = replace(recipe, **given)
    for name in ("shift", "flips"):
        if data.table and getattr(recipe, name):
            raise RecipeError(
                f"--{name}: {data.name} is a table, whose features cannot be moved; drop it"
            )
    if not data.table and recipe.shift >= min(data.shape[:2]):
        raise RecipeError(
            f"--shift {recipe.shift}: must be less than the {min(data.shape[:2])} pixels of "
            f"{data.name}'s images"
        )
    return recipe


def stage_of(recipe: Recipe, epoch: int, epochs: int) -> str:
    """The stage of an epoch. A batch norm can freeze only after an epoch that filled it."""
    share = (epoch + 1) / epochs
    if share <= recipe.float_until:
        return "float"
    return "quantised" if share <= recipe.quantised_until or epoch == 0 else "integer"


def set_rate(optimiser: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
    """Linear warm-up, then a cosine to zero; `done` is the share of the training behind us."""
    cosine = 0.5 + 0.5 * math.cos(math.pi * done)
    rate = recipe.rate * min(1.0, done / recipe.warmup + 1e-3) * cosine
    for group in optimiser.param_groups:
        group["lr"] = rate * group["scale"]


def class_weights(labels: np.ndarray, classes: int) -> Tensor:
    """Of each class (classes,), so that all count alike: N / (classes · images of the class)."""
    counts = np.bincount(labels, minlength=classes).clip(1)
    return torch.from_numpy(len(labels) / (classes * counts)).float()


def loss_of(
    scores: Tensor, labels: Tensor, taught: Tensor | None, recipe: Recipe,
    weights: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Cross-entropy, of classes by their `weights` (classes,), distilled from a teacher's scores
    `taught` if there are any: see Recipe."""
    if weights is None:
        loss = F.cross_entropy(scores, labels, label_smoothing=recipe.smoothing)
    else:  # by image: torch's own would weigh by class what is smoothed, and favour the rare
        each = F.cross_entropy(scores, labels, reduction="none", label_smoothing=recipe.smoothing)
        loss = (each * weights[labels]).mean()
    if taught is None:
        return loss
    t = recipe.temperature
    ours, theirs = F.log_softmax(scores / t, 1), F.log_softmax(taught / t, 1)
    gap = F.kl_div(ours, theirs, reduction="batchmean", log_target=True)
    return (1 - recipe.distill) * loss + recipe.distill * t * t * gap


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Computes in `count` threads, then in as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
