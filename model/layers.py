"""Trainable layers: each computes reals whose integer is value · 2^frac, and gives its spec node.

In stage "float" nothing is rounded; in "quantised" weights and activations are, batch norm is not;
in "integer" the forward pass is the golden model's, with batch norm frozen and folded.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model import kinds, norm, spec
from model.device import CPU, exact
from model.ops import ops, straight_through
from model.quant import Folded, clip, fake_quantise, fold, requantise
from model.spec import Format
from model.trainable import TrainableLayer

EPSILON, MOMENTUM = 1e-3, 0.1
REACH = 4.0
"""Range of activations (in standard deviations of a batch norm) and of weights with a binary point
of their own, until calibrated."""
FITTED = 128
"""Images by which the step of a layer is chosen."""


class Weighted(TrainableLayer):
    """Convolution, or a fully connected layer (`dense`), of any kind. Gives exact sums.

    Output unit: sums of x · (weight integer · unit), see Ops. Where the kind has steps, weights
    narrower than the inputs, of `x_bits` bits, have a binary point of their own, and so a step.
    """

    point: Tensor

    def __init__(
        self, kind: str, cin: int, out: int, *, bits: int, kernel: int = 1, stride: int = 1,
        padding: spec.Padding = "same", depthwise: bool = False, dense: bool = False,
        x_bits: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stepped = kinds.kind(kind).stepped and bits < x_bits
        if self.stepped:
            self.register_buffer("point", torch.tensor(bits - round(np.log2(REACH))))
        self.kind, self.bits, self.stride, self.padding = kind, bits, stride, padding
        self.depthwise, self.dense = depthwise, dense
        self.pad = kernel // 2 if padding == "same" else 0
        self.weight = nn.Parameter(torch.empty(out, 1 if depthwise else cin, kernel, kernel))
        ops(kind).init(self.weight.data)

    @property
    def step(self) -> int:
        """log2 of the unit of the weights, in units of the inputs."""
        if not self.stepped:
            return 0
        return min(max(self.frac_in - int(self.point), 0), spec.MOST_STEP)

    def integers(self) -> Tensor:
        """Weights as integers (in stage float not rounded), with gradient."""
        frac, rounds = self.frac_in - self.step, self.stage != "float"
        weight = self.weight.to(CPU) if self.as_exported else self.weight
        units = ops(self.kind).quantise(weight, self.bits, frac, rounds)
        return (units * 2.0**self.step if self.step else units).to(self.weight.device)

    @torch.no_grad()
    def fit_step(self, x: Tensor) -> None:
        """The step with the least squared error of the sums of some inputs x, but for a constant of
        each channel, which a batch norm takes off."""
        if not self.stepped:
            return
        stage, x = self.stage, x[:FITTED]
        fracs = range(self.frac_in, self.frac_in - spec.MOST_STEP - 1, -1)
        wanted = self._centred(x, fracs[-1], "float")
        errors = {f: (self._centred(x, f, "quantised") - wanted).square().mean() for f in fracs}
        self.point.fill_(min(errors, key=lambda frac: float(errors[frac])))
        self.stage = stage

    def _centred(self, x: Tensor, point: int, stage: str) -> Tensor:
        """Sums less their mean of each channel, with weights of that binary point; in stage float
        with those of the largest step, which clips none that matters."""
        self.point.fill_(point)
        self.stage = stage
        sums: Tensor = self(x)
        return sums - sums.mean((0, 2, 3), keepdim=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.dense:
            x = x.permute(0, 2, 3, 1).flatten(1)[:, :, None, None]
        w = self.integers()
        if self._wide(w):
            x, w = x.double(), w.double()
        how = (self.stride, self.pad, self.depthwise)
        with exact(x.device) if self.as_exported else nullcontext():
            return ops(self.kind).trainable(x, w * ops(self.kind).unit(self.frac_in), *how)

    def _wide(self, w: Tensor) -> bool:
        """Whether sums take float64: if float32 may not hold them exactly, which a GPU may not do
        with any."""
        if self.training:
            return False
        gpu = self.as_exported and w.device.type != "cpu"
        return gpu or self._bound(w) > 1 << 24

    def mean_size(self) -> Tensor:
        """Mean magnitude of the weights, the largest of each output channel being 1."""
        largest = self.weight.detach().abs().amax((1, 2, 3), keepdim=True)
        return (self.weight.abs() / largest.clamp_min(1e-8)).mean()

    def _bound(self, w: Tensor) -> float:
        """At least the largest partial sum in integers, whatever the kind."""
        return float(((w.abs() + 1) * (self.high_in + 1)).sum((1, 2, 3)).max().detach())

    def node(self, name: str, inputs: tuple[str, ...]) -> spec.Node:
        w = self.integers().detach().permute(0, 2, 3, 1).numpy().astype(np.int64)
        if self.dense:
            flat = w.reshape(len(w), -1)
            return spec.Dense(name, inputs, self.kind, flat, self.bits, self.step)
        return spec.Conv(
            name, inputs, self.kind, w, self.bits, self.stride, self.padding, self.depthwise,
            self.step,
        )  # fmt: skip


class RequantiseLayer(TrainableLayer):
    """Batch norm (without `norm`: the constant `gain`), then rounding and clipping."""

    mean: Tensor
    var: Tensor
    point: Tensor

    def __init__(
        self, channels: int, bits: int, *, signed: bool, reach: float, norm: bool = True,
        gain: float = 1.0, style: str = "integer", multiplier_bits: int = 8,
    ) -> None:  # fmt: skip
        super().__init__()
        self.bits, self.signed, self.norm, self.gain = bits, signed, norm, gain
        self.style, self.multiplier_bits = style, multiplier_bits
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))
        self.register_buffer("point", torch.tensor(bits - signed - round(np.log2(reach))))
        self.gamma = nn.Parameter(torch.ones(channels), requires_grad=norm)
        self.beta = nn.Parameter(torch.zeros(channels), requires_grad=norm)

    @property
    def format(self) -> Format:
        return Format(self.bits, self.signed, int(self.point))

    def affine(self) -> tuple[Tensor, Tensor, Tensor]:
        """Gain, centre, bias per channel of the frozen batch norm: gain · (x − centre) + bias.

        The gain is 0 where a channel never varied.
        """
        parts = (self.gamma, self.beta, self.mean, self.var)
        gamma, beta, mean, var = (v.to(CPU) if self.as_exported else v for v in parts)
        if not self.norm:
            return gamma * self.gain, mean, beta
        gain = gamma * torch.rsqrt(var + EPSILON) * (var > EPSILON)
        return gain, mean, beta

    def normalise(self, x: Tensor) -> Tensor:
        if self._of_batch(x):
            gamma, how = self._gamma(), (True, MOMENTUM, EPSILON)
            return F.batch_norm(x, self.mean, self.var, gamma, self.beta, *how)
        gain, centre, bias = (v.to(x.device)[:, None, None] for v in self.affine())
        centred = x.float() - centre
        if torch.is_grad_enabled():
            return centred * gain + bias
        # in place, where no gradient needs what was before: half the time
        return centred.mul_(gain).add_(bias)

    def _of_batch(self, x: Tensor) -> bool:
        """Whether the batch's own statistics count. One value a channel has none (a last batch of
        one image, in 1×1): there those of the batches before it do."""
        learns = self.norm and self.training and self.stage != "integer"
        return learns and x.numel() > x.shape[1]

    def _gamma(self) -> Tensor:
        coarse = self.style != "integer" and self.stage == "quantised"
        return self._coarse_gamma() if coarse else self.gamma

    def _coarse_gamma(self) -> Tensor:
        """gamma at which the frozen gain is a multiplier of few digits: training adapts to it."""
        folded, gain = self._folded(), self.affine()[0].detach()
        unit = 2.0 ** (self.frac_in - self.format.frac - folded.shift)
        ratio = folded.multiplier * unit / torch.where(gain == 0, 1.0, gain)
        return self.gamma * ratio

    def forward(self, x: Tensor) -> Tensor:
        if self._of_batch(x) and norm.takes(x, self.mean, self.var):
            return norm.normalised(
                x, self._gamma(), self.beta, self.mean, self.var, momentum=MOMENTUM,
                epsilon=EPSILON, form=self.format, rounds=self.stage == "quantised",
            )  # fmt: skip
        y = self.normalise(x)
        if self.stage == "float":
            return clip(y, self.format)
        if self.stage == "quantised":
            return fake_quantise(y, self.format)
        return straight_through(
            clip(y, self.format), requantise(x, self._folded(), self.frac_in, self.format)
        )

    def _folded(self) -> Folded:
        return fold(*self.affine(), self.frac_in, self.format, self.style, self.multiplier_bits)

    def node(self, name: str, inputs: tuple[str, ...]) -> spec.Node:
        folded = self._folded()
        return spec.Requantise(
            name,
            inputs,
            folded.multiplier.numpy(),
            folded.offset.numpy(),
            folded.shift,
            self.format,
        )
