"""Where a simulation differs from the golden model: the first layer, pixel and channel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from model import golden
from model.spec import Network, infer
from sim.bench.stream_result import ProbeRecord


class ProbedStream(Protocol):
    """Output stream of a network node inside the accelerator, as wires `<prefix>_payload`, …

    A word is `lanes` values of `bits` bits, the first lowest; values come channels innermost.
    """

    @property
    def node(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def lanes(self) -> int: ...
    @property
    def bits(self) -> int: ...
    @property
    def signed(self) -> bool: ...


@dataclass(frozen=True)
class Mismatch:
    """One value that differs. `got` is None for a value that is unknown (x) or never came.

    At the output itself `layer` is the Head's name; there, channel is the class, or the number of
    classes for the index of the best one. `<head>.tlast` is the frame's end mark.
    """

    image: int
    layer: str
    channel: int
    pixel: tuple[int, int]
    """Row and column in the layer's output."""
    expected: int
    got: int | None
    seed: int

    def __str__(self) -> str:
        got = "nothing known" if self.got is None else self.got
        return (
            f"image {self.image}: first difference in layer {self.layer}, channel {self.channel}, "
            f"pixel {self.pixel}: expected {self.expected}, got {got} (seed {self.seed})"
        )


def unpack(words: Sequence[int | None], probe: ProbedStream) -> list[int | None]:
    """The values of words, lane by lane; all lanes of an unknown word are unknown."""
    base = 1 << probe.bits
    half = base >> 1 if probe.signed else base
    values: list[int | None] = []
    for word in words:
        if word is None:
            values += [None] * probe.lanes
            continue
        lanes = ((word >> (probe.bits * i)) % base for i in range(probe.lanes))
        values += [lane - base if lane >= half else lane for lane in lanes]
    return values


def first_difference(
    network: Network,
    images: torch.Tensor,
    image: int,
    probes: Sequence[ProbedStream],
    records: Mapping[str, ProbeRecord],
    seed: int,
) -> Mismatch | None:
    """The first layer, in the order of `probes`, whose values for image number `image` differ.

    records: what the probes carried, from image 0 on, by prefix.
    """
    golden_values = golden.run(network, images[image : image + 1], [p.node for p in probes])
    for probe in probes:
        _, _, width, channels = golden_values[probe.node].shape
        expected: list[int] = golden_values[probe.node].flatten().tolist()
        words = _words(golden_values[probe.node].shape, probe)
        got = unpack(records[probe.prefix].words[image * words : (image + 1) * words], probe)
        got += [None] * (len(expected) - len(got))
        for at, (e, g) in enumerate(zip(expected, got, strict=False)):
            if e != g:
                pixel = divmod(at // channels, width)
                return Mismatch(image, probe.node, at % channels, pixel, e, g, seed)
    return None


def stopping_layer(
    network: Network,
    images: int,
    probes: Sequence[ProbedStream],
    records: Mapping[str, ProbeRecord],
) -> str:
    """The layer at which words stopped: the deepest one that does not take an offered word, or else
    the first that gave too few words for this number of images.
    """
    blocked = {p.node for p in probes if records[p.prefix].blocked}
    for node in reversed(network.nodes):
        if blocked.intersection(node.inputs):
            return _layer_of(network, node.name, probes)
    tensors = infer(network)
    for probe in probes:
        words = images * _words(tensors[probe.node].shape, probe)
        if len(records[probe.prefix].words) < words:
            return probe.node
    return network.nodes[-1].name


def _words(shape: Sequence[int], probe: ProbedStream) -> int:
    """Words of one image of this shape."""
    return -(-math.prod(shape) // probe.lanes)


def _layer_of(network: Network, name: str, probes: Sequence[ProbedStream]) -> str:
    """The probed node whose hardware holds node `name`: a sum is fused with what requantises it."""
    nodes = {p.node for p in probes} | {network.nodes[-1].name}
    while name not in nodes:
        name = next(n.name for n in network if name in n.inputs)
    return name
