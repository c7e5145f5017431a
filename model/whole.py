"""Sums of 8-bit integers over windows, exact, by a processor's instructions for them: whole.cpp.

Quantised networks have such inputs and weights, also while they are trained. Where they have not,
or where the processor lacks the instructions (AVX-512 with VNNI), others compute the same sums.
"""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from model.native import call, dense, library, on_cpu, windows

LEAST = 1 << 16
"""Terms from which it pays to look."""


def product(x: Tensor, w: Tensor, stride: int, pad: int) -> Tensor | None:
    """Σ x·w, as F.conv2d, of x (N, C, H, W) and w (O, C, k, k), with gradient; None where they are
    no such integers."""
    if not on_cpu(x, w):  # nor brought into the order in which they are read
        return None
    sums = _sums(dense(x.detach()), dense(w.detach()), stride, pad, product=True)
    if sums is None:
        return None
    y: Tensor = _WholeProduct.apply(x, w, sums, stride, pad)
    return y


def distance(x: Tensor, w: Tensor, stride: int, pad: int) -> Tensor | None:
    """−Σ|x − w| of x (N, H, W, C) and w (O, k, k, C), as (N, rows, columns, O), without gradient;
    None where they are no such integers."""
    return _sums(x, w, stride, pad, product=False)


def _sums(x: Tensor, w: Tensor, stride: int, pad: int, *, product: bool) -> Tensor | None:
    if not on_cpu(x, w) or x.numel() * len(w) < LEAST or library("whole") is None:
        return None
    shape = windows(x, w, stride, pad)
    y = x.new_empty(shape.n, shape.rows, shape.columns, shape.o)
    how = (ctypes.c_int64(product),)
    return y if call("whole", "whole_sums", shape, x, w, y, *how) else None


class _WholeProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, w: Tensor, sums: Tensor, stride: int, pad: int
    ) -> Tensor:
        ctx.save_for_backward(x, w)
        ctx.place = ([stride] * 2, [pad] * 2)  # type: ignore[attr-defined]
        return sums.permute(0, 3, 1, 2)

    @staticmethod
    def backward(
        ctx: FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        x, w = ctx.saved_tensors  # type: ignore[attr-defined]
        wanted = (*ctx.needs_input_grad[:2], False)  # type: ignore[attr-defined]
        gx, gw, _ = torch.ops.aten.convolution_backward(
            grads[0], x, w, None, *ctx.place, [1, 1], False, [0, 0], 1, wanted  # type: ignore[attr-defined]
        )  # fmt: skip
        return gx, gw, None, None, None
