"""The L1 layer in C++: −Σ|x − w| over the windows of x, and its gradients; see l1.cpp.

Sums are those of `model.ops_add` up to the rounding of float32, and equal to them where all values
are multiples of one power of two, as in networks that are quantised.
"""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from model.native import library, on_cpu, threads


class _L1Shape(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_int64)
        for name in ("n", "h", "w", "c", "o", "k", "stride", "pad", "rows", "columns", "depthwise")
    )  # fmt: skip


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
        inner, kernels = _dense(x), _dense(w)
        shape = _shape(inner, kernels, stride, pad, depthwise)
        y = inner.new_empty(shape.n, shape.rows, shape.columns, shape.o)
        _call("l1_forward", shape, inner, kernels, y)
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
        _call("l1_backward", ctx.shape, x, w, _dense(grads[0]), gx, gw)  # type: ignore[attr-defined]
        wanted = None if gx is None else gx.permute(0, 3, 1, 2)
        return wanted, gw.permute(0, 3, 1, 2), None, None, None


def _dense(t: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), in that order in memory."""
    return t.permute(0, 2, 3, 1).contiguous()


def _shape(x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> _L1Shape:
    n, height, width, c = x.shape
    o, k = w.shape[:2]
    rows, columns = ((size + 2 * pad - k) // stride + 1 for size in (height, width))
    return _L1Shape(n, height, width, c, o, k, stride, pad, rows, columns, depthwise)


def _call(name: str, shape: _L1Shape, *tensors: Tensor | None) -> None:
    pointers = (ctypes.c_void_p(None if t is None else t.data_ptr()) for t in tensors)
    getattr(library("l1"), name)(ctypes.byref(shape), *pointers, ctypes.c_int64(threads(shape.n)))
