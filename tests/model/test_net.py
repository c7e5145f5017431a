"""Fake-quantised forward = golden model: equal integers at every layer, on every kind and shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from model import golden
from model.arch import Architecture, Block
from model.layers import RequantiseLayer, Weighted
from model.net import Net, export
from model.spec import Conv, Dense, Requantise, infer

KINDS = ("mult", "shift", "add")
DENSE = Block("dense", "mult", 5, act_bits=10)


def bits(kind: str) -> int:
    return 4 if kind == "shift" else 6


NARROW = (
    Block("conv", "mult", 4),
    Block("conv", "add", 6, weight_bits=4),
    Block("depthwise", "add", weight_bits=3),
    Block("maxpool", kernel=2, stride=2),
    Block("dense", "add", 8, weight_bits=5),
)
"""Weights of add that are narrower than what they read."""


def arch(*blocks: Block, shape: tuple[int, int, int] = (9, 8, 3), **more: Any) -> Architecture:
    return Architecture("t", shape, (*blocks, DENSE), **more)


def trained(architecture: Architecture, seed: int = 0) -> Net:
    """A Net with weights, batch norms and binary points moved off their start by a few steps."""
    torch.manual_seed(seed)
    net = Net(architecture)
    images = torch.randint(0, 1 << architecture.input_bits, (16, *architecture.shape))
    optimiser = torch.optim.SGD(net.parameters(), 0.05)
    for stage in ("float", "quantised", "integer"):
        net.stage(stage).train()
        for _ in range(30 if stage == "quantised" else 2):  # 30: running statistics must settle
            loss = torch.nn.functional.cross_entropy(net(images), torch.arange(16) % 5)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if stage == "float":
            net.calibrate(images)
    return net


def assert_equal_everywhere(net: Net) -> None:
    network = export(net)
    images = torch.randint(0, 1 << net.arch.input_bits, (7, *net.arch.shape))
    names = [name for name, _ in net.steps()]
    got = golden.run(network, images, keep=names)
    with torch.no_grad():
        reals = net.values(images, keep=names)
    ranges = infer(network)
    for name, layer in net.steps():
        frac = layer.format.frac if isinstance(layer, RequantiseLayer) else layer.frac_in
        integers = reals[name].double().permute(0, 2, 3, 1) * 2.0**frac
        assert torch.equal(integers, got[name].double()), name
        assert ranges[name].lo <= int(got[name].min()), name
        assert ranges[name].hi >= int(got[name].max()), name
    assert len(got[names[-2]].unique()) > 3, "the sums are all alike: the test shows nothing"


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_conv(kind: str, kernel: int, stride: int, padding: str) -> None:
    first = Block("conv", "mult", 4, kernel=3, act_bits=6)
    block = Block("conv", kind, 6, kernel, stride, padding, bits(kind), 6)
    assert_equal_everywhere(trained(arch(first, block)))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("op", ["depthwise", "separable", "residual"])
def test_block(op: str, kind: str, stride: int) -> None:
    channels = 0 if op == "depthwise" else 7
    block = Block(op, kind, channels, 3, stride, weight_bits=bits(kind), act_bits=5)
    assert_equal_everywhere(trained(arch(Block("conv", "mult", 4), block)))


@pytest.mark.parametrize("kind", KINDS)
def test_residual_identity(kind: str) -> None:
    block = Block("residual", kind, 4, weight_bits=bits(kind), act_bits=7)
    assert_equal_everywhere(trained(arch(Block("conv", "mult", 4, act_bits=4), block, block)))


@pytest.mark.parametrize("kind", KINDS)
def test_first_layer_dense_and_pools(kind: str) -> None:
    wide = 4 if kind == "shift" else 8
    assert_equal_everywhere(
        trained(arch(Block("dense", kind, 12, weight_bits=wide), shape=(5, 3, 2), input_bits=5))
    )
    pools = (
        Block("maxpool", kernel=3, stride=2),
        Block("avgpool", kernel=2, stride=2),
        Block("globalavg"),
    )
    first = Block("conv", kind, 6, weight_bits=bits(kind))
    for pool in pools:
        assert_equal_everywhere(trained(arch(first, pool)))


@pytest.mark.parametrize("style", ["integer", "two-digit", "power"])
def test_multiplier_style(style: str) -> None:
    net = trained(arch(Block("conv", "mult", 16), multiplier=style))
    assert_equal_everywhere(net)
    multipliers = [int(m) for node in export(net) for m in getattr(node, "multiplier", ())]
    most = max(signed_digits(m) for m in multipliers)
    assert most <= {"power": 1, "two-digit": 2, "integer": 5}[style]
    assert most > 2 or style != "integer"


def signed_digits(value: int) -> int:
    """Digits other than zero in the canonical signed-digit form: the ones of n xor 3n."""
    return (abs(value) ^ 3 * abs(value)).bit_count()


def test_wide_sums_run_in_double_and_stay_exact() -> None:
    deep = Block("conv", "mult", 128, kernel=5), Block("conv", "mult", 128, kernel=5)
    assert_equal_everywhere(trained(arch(*deep, shape=(5, 5, 3))))


def test_scores_are_the_last_dense_only_even_of_equal_blocks() -> None:
    net = trained(Architecture("t", (4, 4, 1), (DENSE, DENSE), input_bits=4))
    assert_equal_everywhere(net)
    network = export(net)
    outputs = [node.format for node in network if isinstance(node, Requantise)]
    assert [form.signed for form in outputs] == [False, True]


def test_weights_of_add_narrower_than_their_inputs_have_a_step() -> None:
    net = trained(arch(*NARROW))
    assert_equal_everywhere(net)
    layers = [layer for _, layer in net.steps() if isinstance(layer, Weighted)]
    nodes = [node for node in export(net) if isinstance(node, Conv | Dense)]
    assert [layer.stepped for layer in layers] == [False, True, True, True, False]
    assert [node.step for node in nodes] == [layer.step for layer in layers]
    for node in nodes[1:4]:
        assert node.step >= 1
        assert np.abs(node.weights).max() >= 1 << node.step


@pytest.mark.parametrize("point", [-1, 0, 1, 3, 5])
def test_a_step_is_that_of_the_least_error(point: int) -> None:
    """Weights that a binary point holds exactly get it, whatever the inputs."""
    torch.manual_seed(0)
    layer = Weighted("add", 3, 4, bits=4, kernel=3, x_bits=8)
    layer.frac_in, layer.stage = 5, "float"
    layer.weight.data = torch.randint(-8, 8, layer.weight.shape) * 2.0**-point
    layer.fit_step(torch.randint(-200, 201, (2, 3, 6, 6)) * 2.0**-5)
    assert (layer.step, layer.stage) == (5 - point, "float")
    assert torch.equal(layer.integers(), layer.weight.detach() * 2.0**5)


def test_weights_as_wide_as_their_inputs_have_no_step() -> None:
    for kind, width in (("add", 6), ("add", 8), ("mult", 3), ("shift", 3)):
        first = Block("conv", "mult", 4, act_bits=6)
        net = Net(arch(first, Block("conv", kind, 4, weight_bits=width)))
        assert not [name for name in net.state_dict() if name.endswith("conv1.point")]
        node = export(net)["conv1"]
        assert isinstance(node, Conv)
        assert node.step == 0
