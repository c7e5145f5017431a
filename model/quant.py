"""Fake quantisation of activations, and batch norm folded into the integers of a Requantise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from model.ops import round_half_up
from model.spec import Format

MAX_SHIFT = 30


def fake_quantise(y: Tensor, form: Format) -> Tensor:
    """y rounded and clipped to `form`, as reals; gradient 1 inside its range and 0 outside."""
    quantised: Tensor = _FakeQuantise.apply(y, 2.0**form.frac, form.lo, form.hi)
    return quantised


class _FakeQuantise(torch.autograd.Function):
    # In place, and with one mask for the way back: half of the time of a convolution of few
    # channels goes into the memory traffic of what stands behind it.
    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, y: Tensor, unit: float, lo: int, hi: int
    ) -> Tensor:
        if ctx.needs_input_grad[0]:  # type: ignore[attr-defined]
            ctx.save_for_backward((y >= lo / unit).logical_and_(y <= hi / unit))
        return (y * unit).add_(0.5).floor_().clamp_(lo, hi).mul_(1 / unit)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor, None, None, None]:
        (inside,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return grads[0] * inside, None, None, None


def clip(y: Tensor, form: Format) -> Tensor:
    """y clipped to the range of `form`, not rounded: the float stage's activation."""
    return y.clamp(form.lo * 2.0**-form.frac, form.hi * 2.0**-form.frac)


@dataclass(frozen=True)
class Folded:
    """The integers of one Requantise: multiplier and offset per channel (int64), one shift."""

    multiplier: Tensor
    offset: Tensor
    shift: int


def fold(
    gain: Tensor, centre: Tensor, bias: Tensor, frac_in: int, form: Format, style: str, bits: int
) -> Folded:
    """gain · (x − centre) + bias per channel, as integers from binary point `frac_in` to `form`.

    The multipliers share the largest shift at which the greatest of them still fits `bits` bits of
    magnitude; `style` restricts them further (see Architecture.multiplier). The offset is taken
    with the rounded multiplier: else sums far from zero, as those of add layers, were displaced.
    """
    gain, centre, bias = (v.detach().double() for v in (gain, centre, bias))
    ratio = gain * 2.0 ** (form.frac - frac_in)
    largest = max(ratio.abs().max().item(), 1e-12)
    limit = (1 << bits) * _LARGEST[style] - 1
    shift = min(max(int(torch.tensor(limit / largest).log2().floor()), 0), MAX_SHIFT)
    scaled = (ratio * 2.0**shift).clamp(-limit, limit)  # clips only where shift 0 is too much
    multiplier = _STYLES[style](scaled, bits)
    offset = bias * 2.0 ** (form.frac + shift) - multiplier * centre * 2.0**frac_in
    return Folded(multiplier.long(), round_half_up(offset).long(), shift)


def _power(x: Tensor, bits: int) -> Tensor:
    """The nearest of 0 and ±2^e, 0 ≤ e < bits."""
    size = torch.exp2(torch.round(torch.log2(x.abs().clamp_min(1e-9))).clamp(0, bits - 1))
    return torch.where(x.abs() < 0.5, torch.zeros_like(x), torch.sign(x) * size)


def _two_digit(x: Tensor, bits: int) -> Tensor:
    first = _power(x, bits)
    return first + _power(x - first, bits)


# Of 2^bits: up to here a value is rounded to a multiplier of `bits` bits without being clipped.
_LARGEST = {"integer": 1.0, "two-digit": 0.75, "power": 0.7}
_STYLES = {"integer": lambda x, bits: round_half_up(x), "two-digit": _two_digit, "power": _power}


def requantise(x: Tensor, folded: Folded, frac_in: int, form: Format) -> Tensor:
    """What Requantise makes of x (N, C, H, W, reals at binary point `frac_in`), as reals of `form`.

    In float64, exact while x · multiplier + offset stays below 2^53; powers of two cost no bit.
    """
    integers = (folded.multiplier, folded.offset)
    gain, bias = (v.to(x.device).double()[:, None, None] for v in integers)
    half = 0.5 if folded.shift else 0.0
    gain, bias = gain * 2.0 ** (frac_in - folded.shift), bias * 2.0**-folded.shift + half
    y = torch.addcmul(bias, x.detach().double(), gain).floor_().clamp_(form.lo, form.hi)
    return y.float().mul_(2.0**-form.frac)


def best_frac(sample: Tensor, bits: int, signed: bool) -> int:
    """The binary point with the least squared error over `sample` (calibration)."""
    fracs = range(bits - 6, bits + 3)
    forms = {frac: Format(bits, signed, frac) for frac in fracs}
    target = sample if signed else sample.clamp_min(0)
    return min(
        fracs, key=lambda f: float((fake_quantise(target, forms[f]) - target).square().mean())
    )
