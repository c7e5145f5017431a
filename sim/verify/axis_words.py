"""Images as input words and scores as output frames, as the accelerator's AXI-Streams carry them.

Bit 8 of a word is tlast, below it lies the byte (sim.bench.wrapper.axi_stream).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gen.engine.elaborate import answers
from sim.verify.locate import Mismatch

LAST = 0x100


def frames(scores: np.ndarray, bytes_out: int) -> list[list[int]]:
    """Output words of images with integer `scores` (N, classes), one list an image."""
    words = answers(scores, bytes_out)
    words[:, -1] |= LAST
    rows: list[list[int]] = words.tolist()
    return rows


def input_words(images: torch.Tensor) -> list[int]:
    """Input words of images (N, H, W, C), tlast on the last byte of each image."""
    words = images.flatten(1).long() & 0xFF
    words[:, -1] |= LAST
    flat: list[int] = words.flatten().tolist()
    return flat


def joined(words: Sequence[int], size: int) -> list[int]:
    """Words of one byte each as words of `size` bytes, the first one lowest; tlast is on top."""
    if size == 1:
        return list(words)
    groups = (words[k : k + size] for k in range(0, len(words), size))
    return [
        sum((w & 0xFF) << (8 * k) for k, w in enumerate(group)) | (group[-1] >> 8) << (8 * size)
        for group in groups
    ]


def separate(words: Sequence[int | None], size: int) -> list[int | None]:
    """What `joined` made, as words of one byte again; None for each byte of an unknown word."""
    if size == 1:
        return list(words)
    parts: list[int | None] = []
    for word in words:
        if word is None:
            parts += [None] * size
            continue
        parts += [(word >> (8 * k)) & 0xFF for k in range(size - 1)]
        parts.append((word >> (8 * (size - 1))) & 0x1FF)
    return parts


def frame_difference(
    head: str,
    classes: int,
    expected: Sequence[int],
    got: Sequence[int | None],
    image: int,
    seed: int,
) -> Mismatch:
    """The first difference of two frames, which must differ."""
    size = (len(expected) - 1) // classes
    padded = [*got, *[None] * (len(expected) - len(got))]
    first = next(i for i, (e, g) in enumerate(zip(expected, padded, strict=False)) if e != g)
    word = padded[first]
    if word is not None and (word ^ expected[first]) & 0xFF == 0:
        return Mismatch(image, f"{head}.tlast", 0, (0, 0), expected[first] >> 8, word >> 8, seed)
    channel = first // size
    parts = slice(channel * size, channel * size + (size if channel < classes else 1))
    want, have = (_number(words[parts], channel < classes) for words in (expected, padded))
    assert want is not None
    return Mismatch(image, head, channel, (0, 0), want, have, seed)


def _number(words: Sequence[int | None], signed: bool) -> int | None:
    if None in words:
        return None
    return int.from_bytes(bytes(w & 0xFF for w in words if w is not None), "little", signed=signed)
