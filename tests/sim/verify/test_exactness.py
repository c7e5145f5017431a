"""Hardware of networks whose sums reach as far as the golden model holds them: equal integers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.support.devices import device
from model.spec import Add, Conv, Format, Head, Input, Network, Requantise, check
from sim.verify.network import simulate

BYTE, WIDE = Format(8, True), Format(16, True)


def extreme(shifts: tuple[int, int], product: int, offset: int) -> Network:
    """x·127 as 16 bits, shifted and added to x shifted; two channels, one negated."""
    channels = np.array([[[[127, 0]]], [[[0, -127]]]])
    first = np.array([2, 2]), np.array([0, -7])
    last = np.array([product, -product]), np.array([offset, -offset])
    return Network((
        Input("x", (1, 1, 2), BYTE), Conv("c", ("x",), "mult", channels, 8),
        Requantise("q", ("c",), *first, 0, WIDE), Add("a", ("q", "x"), shifts),
        Requantise("r", ("a",), *last, 48, WIDE), Head("h", ("r",)),
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("shifts", "product", "offset"),
    [((47, 0), 1, 1 << 62), ((0, 48), 127, -(1 << 61)), ((2, 9), (1 << 45) - 1, 12345)],
)
def test_extreme_sums_are_equal(
    shifts: tuple[int, int], product: int, offset: int, quick_simulator: str
) -> None:
    network = extreme(shifts, product, offset)
    check(network)
    values = torch.tensor([-128, -127, -1, 0, 1, 77, 126, 127])
    images = torch.stack([values, values.flip(0)], 1)[:, None, None]
    hardware = elaborate(network, plan(network, device("ulx3s-25f")))
    result = simulate(network, hardware, images, simulator=quick_simulator)
    assert result.ok, result.first_mismatch
