"""Batches of training images: shuffled, translated, mirrored; reproducible from a seed."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F


def batches(
    images: Tensor, labels: Tensor, *, size: int, shift: int, flips: bool, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of (images, labels) in a random order, augmented; the same for the same seed.

    They are made where images and labels are, of random numbers that are drawn on the CPU: a seed
    gives the same batches on every device.
    """
    rng = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=rng).to(images.device)
    for index in torch.split(order, size):
        yield augment(images[index], shift, flips, rng), labels[index]


def augment(images: Tensor, shift: int, flips: bool, rng: torch.Generator) -> Tensor:
    """Translate images (N, H, W, C) by up to `shift` pixels, zeros outside; mirror half."""
    if not shift and not flips:
        return images
    n, h, w, _ = images.shape
    where = images.device
    padded = F.pad(images, (0, 0, shift, shift, shift, shift))
    top, left = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=rng).to(where)
    rows, columns = torch.arange(h, device=where) + top, torch.arange(w, device=where) + left
    if flips:
        mirror = (torch.rand(n, 1, generator=rng) < 0.5).to(where)
        columns = torch.where(mirror, columns.flip(1), columns)
    return padded[
        torch.arange(n, device=where)[:, None, None], rows[:, :, None], columns[:, None, :]
    ]
