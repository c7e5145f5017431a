"""The golden model against plain loops over Python integers, written from the spec's docstrings."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from model import data, golden, store
from model.spec import (
    Add,
    AvgPool,
    Conv,
    Dense,
    Format,
    GlobalAvgPool,
    Head,
    Input,
    MaxPool,
    Network,
    NetworkError,
    Node,
    Padding,
    Requantise,
    infer,
)
from tests.support.networks import SHAPE, residual_network
from tests.support.paths import DIGITS_HYBRID

TERM = {
    "mult": lambda x, w: w * x,
    "shift": lambda x, w: (x << abs(w).bit_length() - 1) * (1 if w > 0 else -1) if w else 0,
    "add": lambda x, w: -abs(x - w),
}


def weights(rng: np.random.Generator, kind: str, *shape: int) -> np.ndarray:
    if kind == "shift":
        return rng.integers(-1, 2, shape) << rng.integers(0, 7, shape)
    return rng.integers(-128, 128, shape)


def requantise(rng: np.random.Generator, name: str, source: str, c: int, shift: int) -> Requantise:
    multiplier, offset = rng.integers(-255, 256, c), rng.integers(-(1 << 18), 1 << 18, c)
    return Requantise(name, (source,), multiplier, offset, shift, Format(8, bool(c % 2), 3))


def slow_conv(x: np.ndarray, node: Conv) -> np.ndarray:
    out, k, _, _ = node.weights.shape
    pad = k // 2 if node.padding == "same" else 0
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    rows, columns = ((n - k) // node.stride + 1 for n in x.shape[:2])
    y = np.zeros((rows, columns, out), object)
    for r, c, o in itertools.product(range(rows), range(columns), range(out)):
        for i, j, d in itertools.product(range(k), range(k), range(node.weights.shape[3])):
            pixel = x[r * node.stride + i, c * node.stride + j, o if node.depthwise else d]
            y[r, c, o] += TERM[node.kind](int(pixel), int(node.weights[o, i, j, d]))
    return y


def slow_requantise(x: np.ndarray, node: Requantise) -> np.ndarray:
    half = 2 ** (node.shift - 1) if node.shift else 0
    y = [
        (int(v) * int(node.multiplier[c]) + int(node.offset[c]) + half) >> node.shift
        for v, c in zip(x.flat, itertools.cycle(range(x.shape[-1])), strict=False)
    ]
    clipped = [min(max(v, node.format.lo), node.format.hi) for v in y]
    return np.array(clipped, object).reshape(x.shape)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("kind", ["mult", "shift", "add"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [
        (1, 1, "same"),
        (3, 1, "same"),
        (3, 2, "valid"),
        (5, 1, "same"),
        (5, 3, "same"),
        (1, 2, "same"),
    ],
)
def test_conv_and_requantise(
    kernel: int, stride: int, padding: Padding, kind: str, depthwise: bool
) -> None:
    rng = np.random.default_rng(kernel * 100 + stride * 10 + depthwise)
    c, out = 3, 3 if depthwise else 4
    w = weights(rng, kind, out, kernel, kernel, 1 if depthwise else c)
    conv = Conv("conv", ("x",), kind, w, 4 if kind == "shift" else 8, stride, padding, depthwise)
    q = requantise(rng, "q", "conv", out, 11)
    pool, pq = GlobalAvgPool("g", ("q",)), requantise(rng, "gq", "g", out, 4)
    network = Network(
        (Input("x", (7, 6, c), Format(8, True)), conv, q, pool, pq, Head("y", ("gq",)))
    )
    images = torch.from_numpy(rng.integers(-128, 128, (2, 7, 6, c)))
    got = golden.run(network, images, keep=["conv", "q", "g"])
    for n, image in enumerate(images.numpy()):
        sums = slow_conv(image, conv)
        assert got["conv"][n].tolist() == sums.tolist()
        assert got["q"][n].tolist() == slow_requantise(sums, q).tolist()
        assert got["g"][n].flatten().tolist() == got["q"][n].sum((0, 1)).tolist()
    assert got["y"].dtype == torch.int64


def test_pools_residual_dense() -> None:
    rng = np.random.default_rng(3)
    w = weights(rng, "add", 4, 12)
    nodes = (
        Input("x", (5, 4, 2), Format(4)),
        MaxPool("m", ("x",), 2, 1),
        AvgPool("a", ("m",), 2, 2),
        requantise(rng, "aq", "a", 2, 6),
        MaxPool("m2", ("aq",), 1, 1),
        total := Add("s", ("m2", "m2"), (0, 3)),
        requantise(rng, "sq", "s", 2, 5),
        Dense("d", ("sq",), "add", w[:, :4], 8),
        requantise(rng, "dq", "d", 4, 3),
        Head("y", ("dq",)),
    )
    network = Network(nodes)
    images = torch.from_numpy(rng.integers(0, 16, (3, 5, 4, 2)))
    got = golden.run(network, images, keep=["m", "a", "m2", "s", "sq", "d"])
    x = images.numpy()
    m = np.maximum.reduce([x[:, i : i + 4, j : j + 3] for i in (0, 1) for j in (0, 1)])
    assert np.array_equal(got["m"], m)
    a = sum(m[:, i : i + 3 : 2, j : j + 2 : 2] for i in (0, 1) for j in (0, 1))
    assert np.array_equal(got["a"], a)
    assert np.array_equal(got["s"], got["m2"] + (got["m2"] << total.shifts[1]))
    flat = got["sq"].flatten(1).numpy()
    assert np.array_equal(got["d"].flatten(1), -np.abs(flat[:, None] - w[None, :, :4]).sum(2))


def test_flattening_is_channels_innermost() -> None:
    x = torch.arange(12).reshape(1, 2, 2, 3)
    dense = Dense("d", ("x",), "mult", np.eye(12, dtype=int), 8)
    q = Requantise("q", ("d",), np.ones(12, int), np.zeros(12, int), 0, Format(8))
    network = Network((Input("x", (2, 2, 3), Format(4)), dense, q, Head("y", ("q",))))
    assert golden.run(network, x)["y"].flatten().tolist() == list(range(12))


def deep(fan_in: int) -> Network:
    dense = Dense("d", ("x",), "mult", np.full((2, fan_in), 127), 8)
    q = Requantise("q", ("d",), np.array([1, 1]), np.array([0, 0]), 20, Format(16))
    return Network((Input("x", (1, 1, fan_in), Format(8)), dense, q, Head("y", ("q",))))


def test_sums_beyond_float32_are_exact() -> None:
    network = deep(3001)
    images = torch.full((1, 1, 1, 3001), 255)
    images[..., 0] = 254
    assert infer(network)["d"].hi > 1 << 24
    assert (
        golden.run(network, images, keep=["d"])["d"].flatten().tolist()
        == [127 * (3001 * 255 - 1)] * 2
    )


def test_first_of_equal_scores_and_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = deep(5)
    images = torch.randint(0, 256, (9, 1, 1, 5))
    whole = golden.run(network, images, keep=["d"])
    monkeypatch.setattr(golden, "CHUNK_ELEMENTS", 10)
    assert torch.equal(golden.run(network, images, keep=["d"])["d"], whole["d"])
    assert golden.predict(network, images).tolist() == [0] * 9


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            torch.zeros(1, 1, 1, 5),
            "(1, 1, 1, 5) of torch.float32 must be integers (N, 1, 1, 5)",
        ),
        (
            torch.zeros(1, 1, 1, 4).int(),
            "(1, 1, 1, 4) of torch.int32 must be integers (N, 1, 1, 5)",
        ),
        (torch.full((1, 1, 1, 5), 256), "hold 256 to 256, the format 0 to 255"),
    ],
)
def test_bad_images(images: torch.Tensor, message: str) -> None:
    with pytest.raises(NetworkError) as error:
        golden.run(deep(5), images)
    assert str(error.value).startswith("x: images ")
    assert str(error.value).endswith(message)


def test_unknown_node() -> None:
    with pytest.raises(NetworkError, match="no node 'z'"):
        golden.run(deep(5), torch.zeros(1, 1, 1, 5).int(), keep=["z"])


def test_a_stored_network_still_classifies_as_when_it_was_trained() -> None:
    network = store.load(DIGITS_HYBRID)
    digits = data.load("digits")
    tests = torch.from_numpy(digits.test_images), torch.from_numpy(digits.test_labels)
    assert golden.accuracy(network, *tests) == network.about["accuracy"]["integer"] > 0.975
    kinds = {node.kind for node in network if isinstance(node, Conv | Dense)}
    assert kinds == {"mult", "shift", "add"}


VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reversed": lambda a: np.ascontiguousarray(np.flip(a))[(slice(None, None, -1),) * a.ndim],
    "strided": lambda a: np.repeat(a, 2, a.ndim - 1)[..., ::2],
    "columns first": np.asfortranarray,
    "narrow": lambda a: a.astype(np.int32),
    "read only": lambda a: np.broadcast_to(a, (1, *a.shape))[0],
    "other bytes": lambda a: a.astype(">i8"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_arrays_are_taken_as_they_are_seen(view: str) -> None:
    """A reversed view has no tensor, and one of narrow integers wraps."""
    whole = residual_network()
    seen = VIEWS[view]

    def viewed(node: Node) -> Node:
        values = {f.name: getattr(node, f.name) for f in fields(node)}
        arrays: dict[str, Any] = {
            name: seen(value) for name, value in values.items() if isinstance(value, np.ndarray)
        }
        return replace(node, **arrays)

    made = Network(tuple(map(viewed, whole.nodes)), whole.classes)
    assert store.content_hash(made) == store.content_hash(whole)
    images = torch.randint(0, 64, (4, *SHAPE), generator=torch.Generator().manual_seed(0))
    assert golden.run(made, images)["h"].equal(golden.run(whole, images)["h"])


def test_a_network_does_not_change_with_the_array_that_it_was_given() -> None:
    weights = np.ones((2, 4), np.int64)
    node = Dense("d", ("x",), "mult", weights, 4)
    weights[:] = 7
    assert node.weights.max() == 1
