"""Sums of 8-bit integers by instructions for them equal those of floats; others are not taken."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from model import ops_add, whole
from model.native import dense
from model.ops import ops

Case = tuple[int, int, tuple[int, int], int, int, int, int, int]
CASES: list[Case] = [  # images, inputs, size, outputs, kernel, stride, padding, binary places
    (3, 16, (14, 14), 32, 3, 1, 1, 5),
    (2, 64, (7, 7), 64, 3, 1, 1, 6),
    (2, 5, (9, 7), 10, 3, 2, 1, 0),
    (4, 3, (8, 6), 17, 5, 1, 0, 8),
    (5, 1, (6, 6), 49, 3, 1, 1, 2),
    (2, 16, (7, 7), 33, 1, 2, 0, 3),
    (6, 30, (1, 1), 11, 1, 1, 0, 4),
    (1, 40, (3, 3), 1, 3, 1, 0, 1),
    (0, 3, (5, 5), 4, 3, 1, 1, 1),
]


@pytest.fixture(autouse=True)
def instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LEAST", 0)
    if whole.product(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1), 1, 0) is None:
        pytest.skip("sums of 8-bit integers: need g++ and a processor with AVX-512 VNNI")


def operands(case: Case) -> tuple[Tensor, Tensor]:
    """Inputs of 8 bits at their binary point, and weights, the ends of either among them."""
    n, c, (height, width), o, k, _, _, frac = case
    torch.manual_seed(c)
    x, w = torch.randint(0, 256, (n, c, height, width)), torch.randint(-128, 128, (o, c, k, k))
    x[:1, 0, 0, 0], w[0, 0, 0, 0] = 255, -128
    return x * 2.0**-frac, w.float()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_are_those_of_floats(case: Case) -> None:
    x, w = operands(case)
    *_, stride, pad, _ = case
    got = whole.product(x, w, stride, pad)
    assert got is not None
    assert torch.equal(got, F.conv2d(x, w, stride=stride, padding=pad))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_distances_are_those_of_floats(case: Case) -> None:
    x, w = operands(case)
    *_, stride, pad, frac = case
    w = w * 2.0**-frac
    got = whole.distance(dense(x), dense(w), stride, pad)
    assert got is not None
    want = ops_add._over_windows(ops_add._l1, x, w, stride, pad, False)
    assert torch.equal(got.permute(0, 3, 1, 2), want)


def test_results_do_not_depend_on_threads() -> None:
    x, w = operands(CASES[0])
    before, want = torch.get_num_threads(), F.conv2d(x, w, padding=1)
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            got = whole.product(x, w, 1, 1)
            assert got is not None
            assert torch.equal(got, want)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["mult", "shift", "add"])
@pytest.mark.parametrize(
    ("of_x", "at", "value"),
    [
        (True, (2, 3, 4, 5), 0.3),
        (True, (2, 3, 4, 5), 256.0),
        (True, (2, 3, 4, 5), -1.0),
        (True, (2, 3, 4, 5), float("nan")),
        (True, (2, 3, 4, 5), float("inf")),
        (True, (2, 3, 4, 5), 2.0**-20),
        (False, (7, 3, 1, 2), 0.3),
        (False, (7, 3, 1, 2), 128.0),
        (False, (7, 3, 1, 2), -129.0),
        (False, (7, 3, 1, 2), float("nan")),
    ],
)
def test_other_numbers_are_left_to_others(
    kind: str, of_x: bool, at: tuple[int, ...], value: float
) -> None:
    case = (*CASES[0][:-1], 0)
    x, w = operands(case)
    (x if of_x else w)[at] = value
    if kind == "add":
        got = whole.distance(dense(x), dense(w), 1, 1)
        want = ops_add._over_windows(ops_add._l1, x, w, 1, 1, False)
    else:
        got, want = whole.product(x, w, 1, 1), F.conv2d(x, w, padding=1)
    assert got is None
    sums = ops(kind).trainable(x, w, 1, 1, False)
    assert torch.equal(sums.isnan(), want.isnan())
    torch.testing.assert_close(sums, want, equal_nan=True)


def test_gradients_are_those_of_products() -> None:
    x, w = (t.requires_grad_() for t in operands(CASES[0]))
    g = torch.randn(3, 32, 14, 14)
    y = whole.product(x, w, 1, 1)
    assert y is not None
    want = torch.autograd.grad(F.conv2d(x, w, padding=1), (x, w), g)
    for mine, other in zip(torch.autograd.grad(y, (x, w), g), want, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-3)
    y = whole.product(x.detach(), w, 1, 1)
    assert y is not None
    (alone,) = torch.autograd.grad(y, (w,), g)
    torch.testing.assert_close(alone, want[1], rtol=1e-4, atol=1e-3)
