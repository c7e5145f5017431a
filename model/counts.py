"""What an architecture takes: its weights, and the terms of all its sums."""

from __future__ import annotations

from collections.abc import Iterator

from model.arch import Architecture, Block, size_behind
from model.spec import Shape


def weights_of(arch: Architecture) -> int:
    """Weights of all blocks, as training counts them."""
    return sum(weights(block, given, made) for block, given, made in shapes(arch))


def macs_of(arch: Architecture) -> int:
    """Terms w·x of all blocks (or their shift and add counterparts) for one image."""
    return sum(macs(block, given, made) for block, given, made in shapes(arch))


def shapes(arch: Architecture) -> Iterator[tuple[Block, Shape, Shape]]:
    """Each block with the shapes of its input and output: height, width, channels."""
    given = arch.shape
    for block in arch.blocks:
        height, width = (size_behind(block, n) for n in given[:2])
        made = (height, width, block.channels or given[2])
        yield block, given, made
        given = made


def macs(block: Block, given: Shape, made: Shape) -> int:
    """Terms of one block for one image: every weight meets every pixel of its output."""
    return weights(block, given, made) * made[0] * made[1]


def weights(block: Block, given: Shape, made: Shape) -> int:
    """Weights of one block between those shapes; 0 in a pool."""
    (height, width, channels), out, area = given, made[2], block.kernel**2
    match block.op:
        case "conv":
            return area * channels * out
        case "depthwise":
            return area * channels
        case "separable":
            return channels * (area + out)
        case "residual":
            return area * out * (channels + out) + (0 if given == made else channels * out)
        case "dense":
            return height * width * channels * out
    return 0
