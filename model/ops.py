"""The torch side of a kind of operator: one interface, found by name as `model/ops_<kind>.py`.

Tensors are (N, C, H, W); weights (out, in, k, k), or (channels, 1, k, k) when depthwise. A fully
connected layer is the case H = W = k = 1.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from model.kinds import kind, part_of


class Ops(Protocol):
    """y[o] = sum over i of term(x[i], w[o, i]), for integers and for training."""

    rate: float
    """Learning rate of this kind's weights, as a multiple of the common one."""

    def init(self, weight: Tensor) -> None:
        """Fill a fresh weight tensor in place."""
        ...

    def adopt(self, weight: Tensor) -> Tensor:
        """Trainable weights that begin where a trained product (mult or shift) layer ended."""
        ...

    def integer(self, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
        """The golden function. x and w are integers in a float type that holds every partial sum
        exactly; so is the result. No gradient."""
        ...

    def quantise(self, weight: Tensor, bits: int, frac: int, exact: bool) -> Tensor:
        """Trainable weight -> the integers of a `bits`-wide memory, as floats with a
        straight-through gradient; with `exact` False their unrounded values. `frac` is the input's
        binary point. The scale that this leaves out, one per output, is undone by the batch norm
        behind every layer."""
        ...

    def unit(self, frac: int) -> float:
        """What weight 1 stands for beside an input with `frac` binary places: the layer's output is
        `trainable(x, w · unit)`, with x in real units."""
        ...

    def trainable(self, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
        """The same sum with its training gradient."""
        ...


@cache
def ops(name: str) -> Ops:
    """The Ops of kind `name`; raises KindError that lists the known kinds or names a file."""
    side: Ops = part_of("model", "ops_", kind(name).name).OPS  # type: ignore[attr-defined]
    return side


def straight_through(value: Tensor, hard: Tensor) -> Tensor:
    """`hard` forward, the gradient of `value` backward; keeps the integers of `hard` exact."""
    forward: Tensor = _StraightThrough.apply(value, hard)
    return forward


class _StraightThrough(torch.autograd.Function):
    # value + (hard - value).detach() would round: the difference of two floats is not exact.
    @staticmethod
    def forward(ctx: object, value: Tensor, hard: Tensor) -> Tensor:
        return hard

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def round_half_up(x: Tensor) -> Tensor:
    """floor(x + 1/2), the rounding of Requantise."""
    return torch.floor(x + 0.5)
