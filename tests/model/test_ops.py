"""The three kinds: weights that their memory holds, gradients as published, equal ways to sum."""

from __future__ import annotations

import pytest
import torch

from model import ops_add
from model.kinds import kind
from model.ops import ops
from model.quant import best_frac, fake_quantise, fold, requantise
from model.spec import Format


@pytest.mark.parametrize("name", ["mult", "shift", "add"])
@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
def test_quantised_weights_fit_their_memory(name: str, bits: int) -> None:
    bits = min(bits, 4) if name == "shift" else bits
    weight = torch.randn(8, 3, 3, 3) * 3
    weight[0] = 0  # a dead filter must not divide by zero, nor take its logarithm
    q = ops(name).quantise(weight.requires_grad_(), bits, 3, True)
    integers = q.detach().numpy().astype(int)
    assert (integers == q.detach().numpy()).all()
    assert kind(name).weight_ok(integers, bits).all()
    assert len(set(integers.flat)) >= (3 if bits == 2 else 5)
    q.sum().backward()
    assert weight.grad is not None
    assert weight.grad.isfinite().all()
    assert weight.grad.abs().sum() > 0


def test_shift_rounds_in_the_logarithm() -> None:
    weight = torch.tensor([64.0, 40.0, -47.0, 1.5, 0.8, 0.6]).reshape(1, 6, 1, 1)
    assert ops("shift").quantise(weight, 4, 0, True).flatten().tolist() == [64, 32, -64, 2, 1, 0]


def test_add_gradients() -> None:
    x = torch.randn(6, 5, requires_grad=True)
    w = torch.randn(3, 5, requires_grad=True)
    g = torch.randn(6, 3)
    y = ops_add._apply(x, w)
    assert torch.allclose(y, -(x[:, None] - w).abs().sum(2))
    y.backward(g)
    gap = x.detach()[:, None] - w.detach()
    assert x.grad is not None
    assert w.grad is not None
    assert torch.allclose(x.grad, (-gap).clamp(-1, 1).mul(g[:, :, None]).sum(1), atol=1e-5)
    assert torch.allclose(w.grad, gap.mul(g[:, :, None]).sum(0), atol=1e-5)


def test_fake_quantise_rounds_half_up_and_stops_gradients_outside() -> None:
    y = torch.tensor([-1.0, 0.124, 0.125, 0.375, 9.0], requires_grad=True)
    q = fake_quantise(y, Format(4, False, 2))
    q.sum().backward()
    assert q.tolist() == [0, 0, 0.25, 0.5, 3.75]
    assert y.grad is not None
    assert y.grad.tolist() == [0, 1, 1, 1, 0]


def test_calibration_weighs_rounding_against_clipping() -> None:
    assert best_frac(torch.linspace(0, 0.9, 100), 4, False) == 4
    assert best_frac(torch.linspace(0, 7, 100), 4, False) == 1
    assert best_frac(torch.linspace(-0.9, 0.9, 100), 5, True) == 4


@pytest.mark.parametrize("style", ["integer", "two-digit", "power"])
def test_fold_keeps_gain_and_centre(style: str) -> None:
    gain, bias = torch.tensor([0.03, -0.017, 0.0, 0.0211]), torch.tensor([0.5, -1.0, 0.25, 0.0])
    centre = torch.tensor([-300.0, 200.0, 7.0, -10.0])
    form = Format(8, True, 6)
    folded = fold(gain, centre, bias, 4, form, style, 8)
    unit = 2.0 ** (4 - 6 - folded.shift)
    error = {"integer": 0.005, "two-digit": 0.15, "power": 0.42}[style]
    assert torch.allclose(folded.multiplier.double() * unit, gain.double(), rtol=error)
    assert 96 <= folded.multiplier.abs().max() < 256
    at_centre = requantise(centre[None, :, None, None], folded, 4, form)
    assert torch.allclose(at_centre.flatten(), bias, atol=2.0**-6)


@pytest.mark.parametrize("kind", ["mult", "shift"])
def test_two_bits_are_spread_over_what_they_can_hold(kind: str) -> None:
    """By the largest weight nine tenths of a Gaussian's would be 0, by its mean size two fifths."""
    weight = torch.randn(8, 16, 3, 3, generator=torch.Generator().manual_seed(0))
    integers = ops(kind).quantise(weight, 2, 0, True)
    assert set(integers.unique().tolist()) == {-1.0, 0.0, 1.0}
    zeros = [(row == 0).float().mean().item() for row in integers]
    assert zeros == pytest.approx([0.42] * 8, abs=0.1)
    assert (integers * weight >= 0).all()
