"""Batch norm, rounding and clipping in one pass of C++ give what the passes of PyTorch give."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from model import native, norm
from model.layers import EPSILON, MOMENTUM, RequantiseLayer
from model.quant import clip, fake_quantise
from model.spec import Format

SHAPES = [
    (32, 16, 12, 12),
    (7, 10, 1, 1),
    (16, 12, 5, 3),
    (3, 33, 2, 2),
    (2, 5, 1, 1),
    (40, 1, 9, 9),
]


@pytest.fixture(autouse=True)
def compiled() -> None:
    if native.library("norm") is None:
        pytest.skip("batch norm in C++: needs g++; apt-get install g++")


def operands(shape: tuple[int, int, int, int]) -> list[Tensor]:
    """x far from zero, as sums of add layers are, gamma, beta, and a gradient."""
    torch.manual_seed(sum(shape))
    x, c = torch.randn(shape) * 40 - 300, shape[1]
    return [t.requires_grad_() for t in (x, torch.randn(c), torch.randn(c))] + [torch.randn(shape)]


def statistics(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    return torch.full((shape[1],), -2.0), torch.full((shape[1],), 3.0)


@pytest.mark.parametrize("form", [Format(8, False, 5), Format(4, True, 1)], ids=str)
@pytest.mark.parametrize("rounds", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_statistics_and_gradients_are_those_of_pytorch(
    shape: tuple[int, int, int, int], rounds: bool, form: Format
) -> None:
    x, gamma, beta, g = operands(shape)
    (mean, var), (own_mean, own_var) = statistics(shape), statistics(shape)
    y = F.batch_norm(x, mean, var, gamma, beta, True, MOMENTUM, EPSILON)
    want = fake_quantise(y, form) if rounds else clip(y, form)
    got = norm.normalised(
        x, gamma, beta, own_mean, own_var, momentum=MOMENTUM, epsilon=EPSILON, form=form,
        rounds=rounds,
    )  # fmt: skip
    torch.testing.assert_close((own_mean, own_var), (mean, var))
    if rounds:  # on a step or beside it
        assert ((got - want).abs() <= 2.0**-form.frac).all()
        assert (got != want).sum() <= 1 + got.numel() // 1000
        assert torch.equal(torch.round(got * 2**form.frac), got * 2**form.frac)
    else:
        torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)
    theirs, ours = (torch.autograd.grad(v, (x, gamma, beta), g) for v in (want, got))
    if shape[0] > 2:  # of two values, gradients for x are all but zero
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4 * float(other.abs().max()), rtol=1e-4)


def test_results_do_not_depend_on_threads() -> None:
    x, gamma, beta, g = operands((32, 16, 12, 12))
    rows, before = [], torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            y = norm.normalised(
                x, gamma, beta, *statistics(x.shape), momentum=MOMENTUM, epsilon=EPSILON,
                form=Format(8, False, 5), rounds=True,
            )  # fmt: skip
            rows.append((y, *torch.autograd.grad(y, (x, gamma, beta), g)))
    finally:
        torch.set_num_threads(before)
    for row in rows[1:]:
        assert all(map(torch.equal, row, rows[0]))


def test_what_is_no_number_is_passed_on() -> None:
    """A training that diverges shows it in the loss."""
    x, gamma, beta, _ = operands((7, 10, 1, 1))
    x = x.detach()
    x[3, 2] = torch.nan
    y = norm.normalised(
        x, gamma, beta, *statistics(x.shape), momentum=MOMENTUM, epsilon=EPSILON,
        form=Format(8, False, 5), rounds=True,
    )  # fmt: skip
    assert y[:, 2].isnan().all()
    assert not y[:, 3].isnan().any()


@pytest.mark.parametrize("stage", ["float", "quantised"])
@pytest.mark.parametrize("style", ["integer", "power"])
def test_a_layer_computes_the_same_without_it(
    stage: str, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, _, _, g = operands((16, 12, 5, 3))
    rows = []
    for here in (True, False):
        monkeypatch.setattr(norm, "takes", lambda *_, here=here: here)
        layer = RequantiseLayer(12, 8, signed=False, reach=4.0, style=style)
        layer.stage = stage
        y = layer.train()(x)
        rows.append((y, *torch.autograd.grad(y, (x, layer.gamma, layer.beta), g), layer.mean))
    ours, theirs = rows
    for mine, other in zip(ours, theirs, strict=True):
        far = (mine - other).abs() > 1e-3 * other.abs().max()
        assert far.sum() <= 1  # at the edge of a step, or of the range
