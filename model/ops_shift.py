"""shift: sum of ±x·2^e (DeepShift-Q, arXiv 1905.13298): weights rounded in the logarithm."""

from __future__ import annotations

import torch
from torch import Tensor

from model.kind_shift import exponents
from model.ops_mult import MultOps


class ShiftOps(MultOps):
    half = 0.5**0.5

    def _largest(self, bits: int) -> int:
        return 1 << (exponents(bits) - 1)

    def _round(self, scaled: Tensor, bits: int) -> Tensor:
        # The guard keeps log2 finite at zero; below half a step (in the logarithm) a weight is
        # zero.
        exponent = torch.round(torch.log2(scaled.abs().clamp_min(1e-9)))
        size = torch.exp2(exponent.clamp(0, exponents(bits) - 1))
        return torch.where(exponent < 0, torch.zeros_like(scaled), torch.sign(scaled) * size)


OPS = ShiftOps()
