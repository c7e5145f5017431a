"""Several processes under torchrun: parts of a batch, averaged gradients. Alone, all no-ops.

Gradients are averaged by hand because DistributedDataParallel wants the same parameters to take
part in every step, and a supernet uses others each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist


def device() -> torch.device:
    """The GPU of this process, or the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


@contextmanager
def group() -> Iterator[None]:
    """Join the processes that torchrun started, if it did."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def first() -> bool:
    """Whether this process writes the files."""
    return not dist.is_initialized() or dist.get_rank() == 0


def share(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """This process's part of a batch (at least one image), on its device."""
    if dist.is_initialized():
        rank, world = dist.get_rank(), dist.get_world_size()
        part = slice(rank, None, world) if len(labels) >= world else slice(None)
        images, labels = images[part], labels[part]
    return images.to(device()), labels.to(device())


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
    """The first process's version of `things` (anything that can be pickled), everywhere."""
    rows = list(things)
    if dist.is_initialized():
        dist.broadcast_object_list(rows)
    return rows
