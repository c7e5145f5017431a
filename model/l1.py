"""The L1 layer in C++: −Σ|x − w| over the windows of x, and its gradients; see l1.cpp.

Sums are those of `model.ops_add` up to the rounding of float32, and equal to them where all values
are multiples of one power of two, as in networks that are quantised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from model import whole
from model.native import call, dense, library, on_cpu, windows


def takes(x: Tensor, w: Tensor) -> bool:
    """Whether these are computed here: float32 on the CPU, and there is a library."""
    return on_cpu(x, w) and library("l1") is not None


def sums(x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
    """−Σ|x − w|, (N, O, rows, columns), of x (N, C, H, W) and w (O, C or 1, k, k), of which padding
    counts as x = 0. With gradients as published (see `model.ops_add`). Needs `takes`."""
    y: Tensor = _L1Sums.apply(x, w, stride, pad, depthwise)
    return y


class _L1Sums(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool
    ) -> Tensor:
        inner, kernels = dense(x), dense(w)
        shape = windows(inner, kernels, stride, pad, depthwise)
        y = None if depthwise else whole.distance(inner, kernels, stride, pad)
        if y is None:
            y = inner.new_empty(shape.n, shape.rows, shape.columns, shape.o)
            call("l1", "l1_forward", shape, inner, kernels, y)
        ctx.save_for_backward(inner, kernels)
        ctx.shape = shape  # type: ignore[attr-defined]
        return y.permute(0, 3, 1, 2)

    @staticmethod
    def backward(
        ctx: FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, Tensor, None, None, None]:  # fmt: skip
        x, w = ctx.saved_tensors  # type: ignore[attr-defined]
        gx = torch.empty_like(x) if ctx.needs_input_grad[0] else None  # type: ignore[attr-defined]
        gw = torch.empty_like(w)
        call("l1", "l1_backward", ctx.shape, x, w, dense(grads[0]), gx, gw)  # type: ignore[attr-defined]
        wanted = None if gx is None else gx.permute(0, 3, 1, 2)
        return wanted, gw.permute(0, 3, 1, 2), None, None, None
