"""Several processes under torchrun: parts of a batch, averaged gradients. Alone, all no-ops.

Gradients are averaged by hand because DistributedDataParallel wants the same parameters to take
part in every step, and a supernet uses others each time.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

from model.checkpoint import pickled
from model.device import at_home


@contextmanager
def group(where: torch.device) -> Iterator[None]:
    """Join the processes that torchrun started, if it did; they talk from device to device."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    if where.type == "cuda":
        torch.cuda.set_device(where)
    dist.init_process_group("nccl" if where.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def first() -> bool:
    """Whether this process writes the files."""
    return not dist.is_initialized() or dist.get_rank() == 0


def share(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """This process's part of a batch (at least one image)."""
    if dist.is_initialized():
        rank, world = dist.get_rank(), dist.get_world_size()
        part = slice(rank, None, world) if len(labels) >= world else slice(None)
        images, labels = images[part], labels[part]
    return images, labels


def average(module: nn.Module) -> None:
    """Average gradients over the processes, which must have sampled the same networks."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def agree(*things: Any) -> list[Any]:
    """The first process's version of `things` (plain containers and tensors), everywhere; where
    there are several processes, with its tensors on the CPU."""
    if not dist.is_initialized():
        return list(things)
    rows = [pickled(at_home(things))]
    dist.broadcast_object_list(rows)
    return list(torch.load(io.BytesIO(rows[0]), weights_only=True))
