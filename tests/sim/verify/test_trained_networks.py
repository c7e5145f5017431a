"""Trained networks in RTL, whole, on the images of their test sets: equal to the golden model."""

from __future__ import annotations

import pytest
import torch

from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.support.devices import device
from model import data, store
from sim.bench.installed import missing
from sim.verify.network import simulate
from tests.support.paths import DATA as NETWORKS


@pytest.mark.parametrize(
    ("name", "source", "board", "images"),
    [
        ("digits_hybrid", "digits", "up5k", 360),
        ("fashion_hybrid", "fashion-mnist", "ulx3s-25f", 50),
    ],
)
def test_trained_network_is_bit_exact(name: str, source: str, board: str, images: int) -> None:
    if reason := missing("verilator"):
        pytest.skip(reason)
    try:
        pixels = data.load(source).test_images
    except data.DataError as error:
        pytest.skip(str(error))
    network = store.load(NETWORKS / f"{name}.net")
    made = plan(network, device(board))
    result = simulate(network, elaborate(network, made), torch.from_numpy(pixels[:images]))
    assert result.ok, result
    assert result.images == images
    assert (result.cycles_latency, result.cycles_interval) == (
        made.cycles_latency,
        made.cycles_interval,
    )


@pytest.mark.parametrize("board", ["ulx3s-25f", "up5k", "hx8k", "tang-nano-9k"])
def test_busiest_layer_of_the_demo_never_waits(board: str) -> None:
    """At least 98 % of the cycles in steady state, on every device."""
    network = store.load(NETWORKS / "digits_hybrid.net")
    made = plan(network, device(board))
    assert max(stage.cycles for stage in made.stages) >= 0.98 * made.cycles_interval
