"""Milliseconds of a training step of each kind, with the loops in C++ and in PyTorch alone.

    python -m tests.bench.training [--images N] [--threads N] [--steps N]

The zoo's networks for Fashion-MNIST, quantised, on random images. Each step is repeated, all in
turn, and the fastest counts: seconds of the processor, which other work changes little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import torch

from model import native, zoo
from model.net import Net
from model.recipe import Recipe, loss_of, threads
from model.train import _groups

KINDS = ("mult", "shift", "hybrid", "add")
MOST = 1.6
"""Times that of mult, a step of add may take."""


@dataclass(frozen=True)
class StepRow:
    """Milliseconds of a step with the loops, and without them."""

    kind: str
    loops: float
    alone: float

    @property
    def gain(self) -> float:
        return self.alone / self.loops


def stepper(kind: str, images: int) -> Callable[[], object]:
    """One step of training, which may be repeated."""
    torch.manual_seed(0)
    recipe = Recipe(batch=images)
    net = Net(zoo.load(f"fashion_{kind}")).stage("quantised").train()
    optimiser = torch.optim.AdamW(_groups(net, recipe), lr=1e-4, fused=True)
    x = torch.randint(0, 256, (images, *net.arch.shape), dtype=torch.uint8)
    y = torch.randint(0, net.arch.classes, (images,))

    def step() -> None:
        loss = loss_of(net(x), y, None, recipe)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


@contextmanager
def pytorch_alone() -> Iterator[None]:
    """As where there is no compiler."""
    native.library.cache_clear()
    with mock.patch.object(native, "COMPILER", "no-such-compiler"):
        with mock.patch.object(native, "_tell"):
            yield
    native.library.cache_clear()


def fastest(steps: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Milliseconds of the processor, of each, a thread."""
    least = dict.fromkeys(steps, float("inf"))
    for _ in range(repeats + 1):  # the first is for caches, libraries and moments
        for name, step in steps.items():
            began = time.process_time()
            step()
            least[name] = min(least[name], 1e3 * (time.process_time() - began))
    return least


def rows(images: int, repeats: int) -> list[StepRow]:
    """One row a kind."""
    steps = {kind: stepper(kind, images) for kind in KINDS}
    loops = fastest(steps, repeats)
    with pytorch_alone():
        alone = fastest(steps, repeats)
    return [StepRow(kind, loops[kind], alone[kind]) for kind in KINDS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    with threads(asked.threads):
        made = rows(asked.images, asked.steps)
    print(
        f"{asked.images} images, {asked.threads} threads\nkind    ms, loops  alone  gain  to mult"
    )
    for row in made:
        ratio = row.loops / made[0].loops
        print(f"{row.kind:6}  {row.loops:9.1f}  {row.alone:5.1f}  {row.gain:4.2f}  {ratio:7.2f}")
    print("" if made[-1].loops <= MOST * made[0].loops else f"add: more than {MOST} times mult")


if __name__ == "__main__":
    main()
