"""mult: sum of w·x, weights rounded to integers under one scale per output channel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from model import whole
from model.ops import round_half_up, straight_through


def _product(x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
    if x.shape[2:] == (1, 1) == w.shape[2:] and not depthwise:
        return F.linear(x.flatten(1), w.flatten(1))[:, :, None, None]
    if w.shape[2:] == (1, 1) and stride > 1 and pad == 0:
        # without AVX-512, oneDNN of torch 2.13 corrupts the heap in the backward pass of these
        x, stride = x[:, :, ::stride, ::stride], 1
    return F.conv2d(x, w, stride=stride, padding=pad, groups=w.shape[0] if depthwise else 1)


TERNARY = 0.7
"""Of the mean size; below it ternary weights are 0 (Ternary weight networks, arXiv 1605.04711)."""


class MultOps:
    rate = 1.0
    half = 0.5
    """From here on a scaled weight becomes 1 and not 0."""

    def init(self, weight: Tensor) -> None:
        torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")

    def adopt(self, weight: Tensor) -> Tensor:
        wanted: float = (2 / weight[0].numel()) ** 0.5  # that of `init`
        return weight / weight.std().clamp_min(1e-8) * wanted

    @torch.no_grad()
    def integer(self, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
        return _product(x, w, stride, pad, depthwise)

    def quantise(self, weight: Tensor, bits: int, frac: int, exact: bool) -> Tensor:
        scaled = weight / self._scale(weight, bits)
        return straight_through(scaled, self._round(scaled.detach(), bits)) if exact else scaled

    def unit(self, frac: int) -> float:
        return 1.0

    def trainable(self, x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool) -> Tensor:
        if w.shape[2] > 1 and not depthwise:
            exact = whole.product(x, w, stride, pad)
            if exact is not None:
                return exact
        return _product(x, w, stride, pad, depthwise)

    def _scale(self, weight: Tensor, bits: int) -> Tensor:
        """Per output channel, so that the largest weight takes the largest code; where there are
        but 0 and ±1, so that only those much smaller than the mean become 0."""
        size = weight.detach().abs()
        if self._largest(bits) == 1:
            return size.mean((1, 2, 3), keepdim=True).clamp_min(1e-8) * TERNARY / self.half
        return size.amax((1, 2, 3), keepdim=True).clamp_min(1e-8) / self._largest(bits)

    def _largest(self, bits: int) -> int:
        return (1 << (bits - 1)) - 1

    def _round(self, scaled: Tensor, bits: int) -> Tensor:
        return round_half_up(scaled).clamp(-self._largest(bits), self._largest(bits))


OPS = MultOps()
