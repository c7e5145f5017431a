"""Blocks of the built-in families, from the shape of the input and the number of classes."""

from __future__ import annotations

from collections.abc import Iterator

from model.arch import Block
from model.kinds import kind

Shape = tuple[int, int, int]
WIDER = 4
"""Times as many channels as the first convolution has, the last ones have at most."""
LEFT = 4
"""Pixels either way at which an image is small enough for the dense layer."""
LARGE = 48
"""Pixels from which on the first convolution takes every second one."""


def table(shape: Shape, classes: int, width: int = 0) -> tuple[Block, ...]:
    """Products on the features, then half as many shifts. width: by default from the classes.

    64 for few classes: in 20 times five folds of breast cancer's training part, 97.66 % of the rows
    held out are right; with 32, 0.29 % ± 0.12 fewer, with 128, 0.12 % fewer.
    """
    wide = width or (64 if classes <= 16 else 128)
    return (
        Block("dense", "mult", wide),
        Block("dense", "shift", wide // 2, weight_bits=4),
        _scores(classes),
    )


def image(shape: Shape, classes: int, base: int) -> tuple[Block, ...]:
    """Convolutions of mult, add, shift, …, halved and doubled in channels until little is left.

    base: channels of the first. Images of 16 pixels or fewer have half as many.
    """
    height, width = shape[:2]
    channels = base if max(height, width) > 16 else base // 2
    kinds = _kinds()
    stages: list[Block] = []
    while True:
        name = next(kinds)
        large = not stages and max(height, width) >= LARGE
        flat = min(height, width) < 2  # a line, as a signal is: no pool fits it
        last = max(height, width) <= 2 * LEFT
        block = _conv(name, channels, 2 if large or flat else 1)
        stages.append(block)
        if last and len(stages) > 1:
            stages.append(_conv("shift", channels))
        if not (large or flat):
            stages.append(Block("maxpool", kernel=2, stride=2))
        height, width = (_half(n, large or flat) for n in (height, width))
        if max(height, width) <= LEFT and len(stages) > 2:
            return (*stages, _scores(classes))
        channels = min(WIDER * base, 2 * channels)


def residual(shape: Shape, classes: int) -> tuple[Block, ...]:
    """A convolution, residual blocks of shifts that halve the image, the mean of what is left."""
    size, channels = max(shape[:2]), 16
    blocks = [_conv("mult", channels, 2 if size >= LARGE else 1), _residual(channels)]
    size = (size + 1) // 2 if size >= LARGE else size
    while size > 2 * LEFT:
        size, channels = (size + 1) // 2, min(WIDER * 16, 2 * channels)
        blocks.append(_residual(channels, 2))
    return (*blocks, Block("globalavg"), _scores(classes))


def _half(size: int, strided: bool) -> int:
    return (size + 1) // 2 if strided else size // 2


def _conv(name: str, channels: int, stride: int = 1) -> Block:
    return Block("conv", name, channels, stride=stride, weight_bits=_bits(name))


def _kinds() -> Iterator[str]:
    yield "mult"
    yield "add"
    while True:
        yield "shift"


def _bits(name: str) -> int:
    return kind(name).usual_bits or 8


def _residual(channels: int, stride: int = 1) -> Block:
    return Block("residual", "shift", channels, stride=stride, weight_bits=4)


def _scores(classes: int) -> Block:
    return Block("dense", "mult", classes, act_bits=12)
