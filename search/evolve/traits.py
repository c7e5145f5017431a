"""What the form of a network tells of how well it can learn, before any of it is trained."""

from __future__ import annotations

from dataclasses import dataclass

from model.arch import Architecture, kinds_used
from model.counts import macs_of, weights_of
from model.kinds import kind


@dataclass(frozen=True)
class Traits:
    """Of one network.

    kinds: as `Candidate.kinds`. weights, macs: of all layers. spatial: layers whose kernel is wider
    than a pixel. strides: layers that skip pixels.
    """

    kinds: tuple[str, ...]
    weights: int
    macs: int
    spatial: int
    strides: int


def traits(arch: Architecture) -> Traits:
    first, *inner, last = kinds_used(arch)
    ends = [[end] * (not kind(end).plain) for end in (first, last)]
    layers = [block for block in arch.blocks if block.weighted and block.op != "dense"]
    return Traits(
        kinds=(*ends[0], *inner, *ends[1]),
        weights=weights_of(arch),
        macs=macs_of(arch),
        spatial=sum(block.kernel > 1 for block in layers),
        strides=sum(block.stride > 1 for block in layers),
    )
