"""The golden model: executes a Network in integers, the reference for training and for hardware.

Sums run in float32 or float64 only where the range proven by the spec keeps every partial sum
exact.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from model.device import exact
from model.ops import ops
from model.spec import (
    Add,
    AvgPool,
    Conv,
    Dense,
    GlobalAvgPool,
    Head,
    Input,
    MaxPool,
    Network,
    NetworkError,
    Node,
    Requantise,
    Shape,
    check,
    window,
)  # fmt: skip
from model.spec import Tensor as Range

CHUNK_ELEMENTS, GPU_ELEMENTS = 1 << 21, 1 << 25
"""Largest tensor worked on at once, in elements: it fits a cache, and bounds the memory."""


@torch.no_grad()
def run(network: Network, images: Tensor, keep: Collection[str] = ()) -> dict[str, Tensor]:
    """Outputs of the Head and of the nodes named in `keep`, as int64 (N, H, W, C).

    `images` are integers (N, H, W, C) of the Input's shape and format; others raise NetworkError.
    The CPU is the reference; on a GPU, where images may lie as well, the same integers take float64
    and no cuDNN.
    """
    ranges = check(network)
    images = _check_images(network.input, images)
    wanted = [network[name].name for name in (*keep, network.nodes[-1].name)]
    most = CHUNK_ELEMENTS if images.device.type == "cpu" else GPU_ELEMENTS
    step = max(1, most // max(_elements(node, ranges) for node in network))
    with exact(images.device):
        parts = [_run_chunk(network, ranges, chunk, wanted) for chunk in torch.split(images, step)]
    return {name: torch.cat([part[name] for part in parts]) for name in wanted}


def predict(network: Network, images: Tensor) -> Tensor:
    """Class of each image (N,), int64: the first index of the largest score."""
    return run(network, images)[network.nodes[-1].name].flatten(1).argmax(1)


def accuracy(network: Network, images: Tensor, labels: Tensor) -> float:
    """Share of `images` whose predicted class is the label, 0 to 1."""
    return (predict(network, images) == labels).double().mean().item()


def _check_images(node: Input, images: Tensor) -> Tensor:
    if images.dtype.is_floating_point or images.shape[1:] != node.shape or len(images) == 0:
        raise NetworkError(
            f"{node.name}: images {tuple(images.shape)} of {images.dtype} must be integers "
            f"(N, {', '.join(map(str, node.shape))})"
        )
    low, high = int(images.min()), int(images.max())
    if low < node.format.lo or high > node.format.hi:
        raise NetworkError(
            f"{node.name}: images hold {low} to {high}, "
            f"the format {node.format.lo} to {node.format.hi}"
        )
    return images


def _elements(node: Node, ranges: dict[str, Range]) -> int:
    """Elements of the largest tensor that one image needs at this node."""
    h, w, c = ranges[node.name].shape
    fan_in = node.weights[0].size if isinstance(node, Conv | Dense) else 1
    return h * w * max(c, fan_in)


def _run_chunk(
    network: Network, ranges: dict[str, Range], images: Tensor, wanted: Sequence[str]
) -> dict[str, Tensor]:
    """`images` (N, H, W, C) through every node; inside, tensors are int64 (N, C, H, W)."""
    values: dict[str, Tensor] = {}
    for node in network:
        if isinstance(node, Input):
            values[node.name] = images.permute(0, 3, 1, 2).long()
        else:
            sources = [values[name] for name in node.inputs]
            values[node.name] = _execute(
                node, sources, ranges[node.name], ranges[node.inputs[0]].shape
            )
    return {name: values[name].permute(0, 2, 3, 1) for name in wanted}


def _execute(node: Node, sources: Sequence[Tensor], out: Range, shape: Shape) -> Tensor:
    x = sources[0]
    match node:
        case Conv() | Dense():
            return _weighted(node, x, out, shape)
        case MaxPool():
            return F.max_pool2d(x.float(), node.kernel, node.stride).long()  # 16 bits: exact
        case AvgPool():
            return F.avg_pool2d(x.double(), node.kernel, node.stride, divisor_override=1).long()
        case GlobalAvgPool():
            return x.sum((2, 3), keepdim=True)
        case Add():
            return (x << node.shifts[0]) + (sources[1] << node.shifts[1])
        case Requantise():
            return requantise(node, x)
        case Head():
            return x
    raise NetworkError(f"{node.name}: the golden model knows no {type(node).__name__}")


def _weighted(node: Conv | Dense, x: Tensor, out: Range, shape: Shape) -> Tensor:
    w = torch.from_numpy(node.weights).to(x.device)
    if isinstance(node, Dense):
        x = x.permute(0, 2, 3, 1).flatten(1)[:, :, None, None]
        w, stride, pad, depthwise = w[:, :, None, None], 1, 0, False
    else:
        w, stride, pad, depthwise = (
            w.permute(0, 3, 1, 2),
            node.stride,
            window(node, shape).pad[0],
            node.depthwise,
        )
    real = exact_type(max(-out.lo, out.hi), node.name)
    if x.device.type != "cpu":
        real = torch.float64
    return ops(node.kind).integer(x.to(real), w.to(real), stride, pad, depthwise).long()


def exact_type(bound: int, name: str) -> torch.dtype:
    """The narrowest float type that holds all integers up to `bound`, and so every partial sum."""
    if bound > 1 << 53:
        raise NetworkError(
            f"{name}: sums up to {bound} exceed 2^53, the exact range of the golden model"
        )
    return torch.float32 if bound <= 1 << 24 else torch.float64


def requantise(node: Requantise, x: Tensor) -> Tensor:
    """clip((x · multiplier + offset + half) >> shift) in int64, x (N, C, H, W)."""
    multiplier = torch.from_numpy(node.multiplier).long().to(x.device)[:, None, None]
    offset = torch.from_numpy(node.offset).long().to(x.device)[:, None, None] + node.half
    y = torch.addcmul(offset, x, multiplier)
    return y.bitwise_right_shift_(node.shift).clamp_(node.format.lo, node.format.hi)
