"""Batch norm of a batch, rounding and clipping in one pass, in C++; see norm.cpp.

Values and gradients are those of F.batch_norm and `model.quant.fake_quantise` up to the rounding of
float32. They do not depend on the number of threads.
"""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from model.native import library, on_cpu, threads
from model.spec import Format


class _Layer(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("rows", "c", "threads")),
        *(
            (name, ctypes.c_float)
            for name in ("epsilon", "momentum", "unit", "lo", "hi", "rounds")
        ),
        *(
            (name, ctypes.c_void_p)
            for name in ("gamma", "beta", "mean", "var", "batch_mean", "batch_rstd")
        ),
    )  # fmt: skip


def takes(x: Tensor, mean: Tensor, var: Tensor) -> bool:
    """Whether these are computed here: float32 on the CPU, and there is a library."""
    plain = on_cpu(x, mean, var) and mean.is_contiguous() and var.is_contiguous()
    return plain and library("norm") is not None


def normalised(
    x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, *, momentum: float,
    epsilon: float, form: Format, rounds: bool,
) -> Tensor:  # fmt: skip
    """x (N, C, H, W) by its own statistics, scaled, clipped to `form` and, with `rounds`, rounded;
    as reals. `mean` and `var` (C,) are moved towards those statistics. Needs `takes`."""
    how = (epsilon, momentum, 2.0**form.frac, form.lo, form.hi, rounds)
    y: Tensor = _Normalised.apply(x, gamma, beta, mean, var, how)
    return y


class _Normalised(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor,
        how: tuple[float, ...],
    ) -> Tensor:  # fmt: skip
        rows, parts = x.permute(0, 2, 3, 1).contiguous(), (gamma.contiguous(), beta.contiguous())
        statistics = torch.empty_like(mean), torch.empty_like(mean)
        y, places = torch.empty_like(rows), (*parts, mean, var, *statistics)
        _call("norm_forward", rows, places, how, y)
        ctx.save_for_backward(rows, *parts, *statistics)
        ctx.how = how  # type: ignore[attr-defined]
        return y.permute(0, 3, 1, 2)

    @staticmethod
    def backward(
        ctx: FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        rows, gamma, beta, mean, rstd = ctx.saved_tensors  # type: ignore[attr-defined]
        g = grads[0].permute(0, 2, 3, 1).contiguous()
        gx, slopes = torch.empty_like(rows), (torch.empty_like(gamma), torch.empty_like(beta))
        places = (gamma, beta, None, None, mean, rstd)
        _call("norm_backward", rows, places, ctx.how, g, gx, *slopes)  # type: ignore[attr-defined]
        return gx.permute(0, 3, 1, 2), *slopes, None, None, None


def _call(
    name: str, x: Tensor, places: tuple[Tensor | None, ...], how: tuple[float, ...], *more: Tensor
) -> None:
    rows, c = x.numel() // x.shape[3], x.shape[3]
    pointers = (None if t is None else t.data_ptr() for t in places)
    layer = _Layer(rows, c, threads(rows), *how, *pointers)
    others = (ctypes.c_void_p(t.data_ptr()) for t in (x, *more))
    getattr(library("norm"), name)(ctypes.byref(layer), *others)
