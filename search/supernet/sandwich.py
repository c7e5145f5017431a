"""One training step of the supernet: the sandwich rule with in-place distillation.

As in Once-for-All and BigNAS (arXiv 1908.09791, 2003.11142): in each step the largest network
learns from the labels, and networks drawn at random learn from what it just said; all gradients
add up on the shared weights.

As Once-for-All shrinks its networks step by step, students here stray from the teacher step by
step. Drawn from the whole space from the first step on they end close together, whatever they can
learn alone (20 of 30 networks of Fashion-MNIST within three points), and ranking suffers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from model.kinds import kind, kind_names, ordered_kinds, plain_kind
from model.ops import ops
from model.recipe import Recipe, loss_of
from search.space.space import Candidate, Space
from search.supernet.sharing import Position, gaussian_distance
from search.supernet.supernet import SuperNet

NEAREST = 0.05
"""Share of a student's genes that are drawn anew in the first step."""


@dataclass(frozen=True)
class SuperRecipe(Recipe):
    """How a supernet is trained: as a network is, but for the integer stage, which it has not.

    `students`: random networks a step. `grown`: share of the training by which nothing of the
    teacher need be left in them. `gaussian`: weight of the mean distance of the shared tensors to
    a Gaussian, in heterogeneous sharing.
    """

    batch: int = 32
    rate: float = 1.2e-2
    float_until: float = 0.0
    quantised_until: float = 1.0
    students: int = 2
    grown: float = 0.6
    gaussian: float = 0.1


def teacher(space: Space) -> Candidate:
    """The largest network, of the first linear kind that the space has: products learn fastest."""
    linear = [name for name in ordered_kinds() if name in space.kinds and kind(name).linear]
    return space.largest((linear or list(space.kinds) or [plain_kind()])[0])


def draw(
    space: Space, recipe: SuperRecipe, done: float, rng: random.Random
) -> list[Candidate]:  # fmt: skip
    """The students of one step: the teacher with ever more genes drawn anew.

    done: the share of the training behind us.
    """
    rate = min(1.0, NEAREST + done / recipe.grown)
    return [space.mutate(teacher(space), rng, rate) for _ in range(recipe.students)]


def learn(
    supernet: SuperNet, images: Tensor, labels: Tensor, students: list[Candidate],
    recipe: SuperRecipe, stage: str,
) -> float:  # fmt: skip
    """Add the gradients of one sandwich to the weights; returns the teacher's loss."""
    taught = supernet(images, teacher(supernet.space), stage)
    loss = loss_of(taught, labels, None, recipe)
    loss.backward()
    for student in students:
        scores = supernet(images, student, stage)
        loss_of(scores, labels, taught.detach(), recipe).backward()
    return float(loss.detach())


def regularise(supernet: SuperNet, recipe: SuperRecipe, rng: random.Random) -> None:
    """Add the gradient of one shared tensor's distance to a Gaussian, weighted for their number."""
    if supernet.sharing != "heterogeneous" or not recipe.gaussian:
        return
    tensors = shared_tensors(supernet)
    (recipe.gaussian * gaussian_distance(rng.choice(tensors))).backward()


def shared_tensors(supernet: SuperNet) -> list[Tensor]:
    """The tensors that add layers may use as well as products."""
    positions = [p for name, p in supernet.positions.items() if name.startswith("stage")]
    return [w for p in positions if isinstance(p, Position) for w in p.weights.values()]


def groups(supernet: SuperNet, recipe: SuperRecipe) -> list[dict[str, Any]]:
    """Parameter groups: shared weights with decay, those of a kind with its own rate at that."""
    plain, rest = [], []
    own: dict[str, list[Tensor]] = {}
    for name, parameter in supernet.named_parameters():
        kind_name = _owner(name) if supernet.sharing == "none" else None
        if ".weights." not in name:
            rest.append(parameter)
        elif kind_name and ops(kind_name).rate != 1.0:
            own.setdefault(kind_name, []).append(parameter)
        else:
            plain.append(parameter)
    rows: list[dict[str, Any]] = [
        {"params": plain, "scale": 1.0, "weight_decay": recipe.decay},
        {"params": rest, "scale": 1.0, "weight_decay": 0.0},
    ]
    for kind_name, parameters in own.items():
        rate = ops(kind_name).rate
        rows.append({"params": parameters, "scale": rate, "weight_decay": 0.0})
    return rows


def _owner(parameter: str) -> str | None:
    """The kind whose tensor a parameter of unshared weights is: `<position>.weights.<kind>_…`."""
    _, _, tensor = parameter.partition(".weights.")
    owners = (name for name in kind_names() if tensor.startswith(f"{name}_"))
    return max(owners, key=len, default=None)  # one kind's name may begin another's
