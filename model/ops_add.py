"""add: −Σ|x − w| (AdderNet, arXiv 1912.13200), with w at the binary point of x.

Gradients as published: for w the full-precision Σ(x − w)·g, for x HardTanh(w − x)·g. Computed by
`model.l1`, or here where that cannot be had.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from model import l1
from model.ops import round_half_up, straight_through

MIDDLE = 0.5
"""About the middle of the inputs behind a batch norm, a ReLU and a pool."""


class AddOps:
    rate = 20.0
    # Weights move in the units of the activations, and their gradient has no sign of its own to
    # hurry with: a common rate leaves them near their start.

    def init(self, weight: Tensor) -> None:
        torch.nn.init.normal_(weight)

    def adopt(self, weight: Tensor) -> Tensor:
        # −|x − w| rises with x below w and falls above: a large w acts as a positive weight, one
        # below the inputs as a negative one.
        return weight / weight.std().clamp_min(1e-8) + MIDDLE

    @torch.no_grad()
    def integer(self, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
        if l1.takes(x, w):
            return l1.sums(x, w, stride, pad, depthwise)
        return _over_windows(_l1, x, w, stride, pad, depthwise)

    def quantise(self, weight: Tensor, bits: int, frac: int, exact: bool) -> Tensor:
        scaled = weight * 2.0**frac
        limit = 1 << (bits - 1)
        hard = round_half_up(scaled.detach()) if exact else scaled.detach()
        return straight_through(scaled, hard.clamp(-limit, limit - 1))

    def unit(self, frac: int) -> float:
        return 2.0**-frac

    def trainable(self, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
        if l1.takes(x, w):
            return l1.sums(x, w, stride, pad, depthwise)
        return _over_windows(_apply, x, w, stride, pad, depthwise)


OPS = AddOps()


def _over_windows(
    distance: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    w: Tensor,
    stride: int,
    pad: int,
    depthwise: bool,
) -> Tensor:
    """`distance` of rows (M, K) to w (O, K), over the windows of x; padding counts as x = 0."""
    windows = _windows(x, w.shape[2], stride, pad)
    kernels = w.permute(0, 2, 3, 1).flatten(1)
    n, height, width, taps, c = windows.shape
    if depthwise:
        rows = windows.permute(4, 0, 1, 2, 3).reshape(c, -1, taps)
        parts = [distance(r, v[None]) for r, v in zip(rows, kernels, strict=True)]
        return torch.stack(parts, 1).reshape(n, height, width, c).permute(0, 3, 1, 2)
    out = distance(windows.reshape(-1, taps * c), kernels)
    return out.reshape(n, height, width, len(w)).permute(0, 3, 1, 2)


def _windows(x: Tensor, kernel: int, stride: int, pad: int) -> Tensor:
    """Windows of x (N, C, H, W) as (N, rows, columns, kernel², C)."""
    windows: Tensor = _Windows.apply(x.permute(0, 2, 3, 1), kernel, stride, pad)
    return windows


class _Windows(torch.autograd.Function):
    # Channels innermost: whole runs of memory are copied, where F.unfold moves single numbers.
    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, x: Tensor, kernel: int, stride: int, pad: int
    ) -> Tensor:
        padded = F.pad(x, (0, 0, pad, pad, pad, pad))
        ctx.shape, ctx.place = padded.shape, (kernel, stride, pad)  # type: ignore[attr-defined]
        windows = padded.unfold(1, kernel, stride).unfold(2, kernel, stride)
        return windows.permute(0, 1, 2, 4, 5, 3).flatten(3, 4).contiguous()

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor, None, None, None]:
        kernel, stride, pad = ctx.place  # type: ignore[attr-defined]
        out = grads[0].new_zeros(ctx.shape)  # type: ignore[attr-defined]
        height, width = grads[0].shape[1:3]
        for tap in range(kernel * kernel):
            i, j = divmod(tap, kernel)
            rows = slice(i, i + stride * height, stride)
            out[:, rows, j : j + stride * width : stride] += grads[0][:, :, :, tap]
        size = out.shape
        return out[:, pad : size[1] - pad, pad : size[2] - pad], None, None, None


class _L1(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return _l1(x, w)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *grads: Tensor) -> tuple[Tensor, Tensor]:
        x, w = ctx.saved_tensors  # type: ignore[attr-defined]
        g = grads[0].contiguous()
        return _l1_gradient(x, w, g), g.T @ x - w * g.sum(0)[:, None]


def _apply(x: Tensor, w: Tensor) -> Tensor:
    y: Tensor = _L1.apply(x, w)
    return y


def _l1(x: Tensor, w: Tensor) -> Tensor:
    """−Σ|x − w| of rows (M, K) and (O, K), as (M, O), without an (M, O, K) intermediate."""
    return -torch.cdist(x, w, p=1)


def _l1_gradient(x: Tensor, w: Tensor, g: Tensor) -> Tensor:
    """That for x, where g (M, O) is that of the sums; in the same memory."""
    out, gap = torch.zeros_like(x), torch.empty_like(x)
    for o, row in enumerate(w):
        torch.sub(row, x, out=gap).clamp_(-1, 1)
        out.addcmul_(gap, g[:, o : o + 1])
    return out
