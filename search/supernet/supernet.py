"""The supernet: all networks of a space in one set of weights, one set per layer position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from model.arch import Architecture
from model.layers import RequantiseLayer, Weighted
from model.net import Net
from model.trainable import SumPool
from search.space.space import Candidate, Choice, Space, SpaceError
from search.supernet.sharing import PARTS, SHARING, Position, Role, roles

AVERAGE_REACH = 1
"""A mean over the image of activations behind a ReLU stays below 2^1: finer than REACH."""


class Use(NamedTuple):
    """One weight tensor of a Net: the layer's name, its position here, its role there."""

    layer: str
    position: str
    role: Role


class SuperNet(nn.Module):
    """`forward` computes a candidate's scores with the candidate's own Net and inherited weights.

    sharing: "heterogeneous" (`search.supernet.sharing`), "naive" (the same raw numbers whatever the
    kind; centre crops) or "none" (a tensor for each kind, op and kernel). Batch norms are always
    per position, kind and op.
    """

    def __init__(self, space: Space, sharing: str = "heterogeneous") -> None:
        super().__init__()
        if sharing not in SHARING:
            raise SpaceError(f"sharing {sharing!r} must be one of {', '.join(SHARING)}")
        self.space, self.sharing = space, sharing
        self.positions = nn.ModuleDict()
        first = [role for choice in space.first for role in roles(choice)]
        self._add("first", first, space.shape[2], self._channels(-1))
        for s, stage in enumerate(space.stages):
            for i in range(max(stage.depth)):
                for source in (s,) if i else _sources(space, s):
                    choices = stage.choices if i else stage.entries
                    self._enter(_place(s, i, source), choices, source, s)
        ends: dict[int, list[tuple[int, int]]] = {}
        for h, w, source in sorted(_ends(space)):
            ends.setdefault(source, []).append((h, w))
        for source, sizes in ends.items():
            played = [Role(choice, "last", size) for choice in space.last for size in sizes]
            self._add(
                f"scores_{source}".replace("-1", "first"),
                played,
                self._channels(source),
                space.classes,
            )

    def _channels(self, source: int) -> int:
        """Most channels that stage `source` gives (−1: the first convolution)."""
        space = self.space
        return max(space.first_channels if source < 0 else space.stages[source].channels)

    def _enter(self, name: str, choices: Iterable[Choice], source: int, stage: int) -> None:
        played = [role for choice in choices for role in roles(choice)]
        self._add(name, played, self._channels(source), self._channels(stage))

    def _add(self, name: str, played: list[Role], cin: int, out: int) -> None:
        uses = [role._replace(choice=replace(role.choice, act_bits=0)) for role in played]
        if uses:
            self.positions[name] = Position(
                list(dict.fromkeys(uses)), cin, out, sharing=self.sharing
            )

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def weight_count(self) -> int:
        """Of all trainable numbers: shared tensors, transforms and batch norms."""
        return sum(p.numel() for p in self.parameters())

    def uses(self, net: Net, candidate: Candidate) -> Iterator[Use]:
        """The weight tensors of `net`, the Net of `candidate`, in order."""
        yield Use("conv0", "first", roles(candidate.first)[0])
        block, source = 1, -1
        for s, stage in enumerate(candidate.stages):
            block += stage.reduce == "maxpool"
            for i, choice in enumerate(stage.layers):
                place = _place(s, i, source)
                for role in roles(choice):
                    layer = f"{choice.op}{block}{PARTS[choice.op][role.part]}"
                    yield Use(layer, place, role)
                block, source = block + 1, s
        mean = candidate.head == "globalavg"
        name = f"dense{block + mean}"
        h, w, _ = net.shapes[net.sources[name][0]]
        role = Role(candidate.last, "last", (h, w))
        place = f"scores_{source}".replace("-1", "first")
        yield Use(name, place, role)

    def state(self, net: Net, candidate: Candidate) -> dict[str, Tensor]:
        """What `net` inherits, by the names of its parameters and buffers; with gradient."""
        tensors: dict[str, Tensor] = {}
        for layer, name, role in self.uses(net, candidate):
            position, own = self.positions[name], net.layers[layer]
            assert isinstance(position, Position)
            assert isinstance(own, Weighted)
            tensors[f"layers.{layer}.weight"] = position.weight(role, own.weight.shape)
            for key, value in position.norm(role, len(own.weight)).items():
                tensors[f"layers.{layer}_q.{key}"] = value
        return tensors

    def forward(self, images: Tensor, candidate: Candidate, stage: str = "quantised") -> Tensor:
        """Scores (N, classes) of integer images (N, H, W, C); batch statistics when training."""
        net = _skeleton(self.space.architecture(candidate)).to(images.device)
        net.stage(stage).train(self.training)
        scores: Tensor = functional_call(net, self.state(net, candidate), (images,))
        return scores

    @torch.no_grad()
    def net(self, candidate: Candidate) -> Net:
        """A Net of its own, on the same device, with inherited weights and batch norms, whose
        statistics are those of whichever networks were trained last: recalibrate them before use
        (`search.supernet.inherit`)."""
        net = _build(self.space.architecture(candidate))
        own = net.state_dict(keep_vars=True)
        for name, value in self.state(net, candidate).items():
            own[name].copy_(value)
        return net.to(self.device)


def _build(arch: Architecture) -> Net:
    net = Net(arch)
    for name, layer in net.steps():
        if isinstance(layer, RequantiseLayer) and is_mean(net, name):
            layer.point.fill_(layer.bits - AVERAGE_REACH)
    return net.stage("quantised")


def is_mean(net: Net, name: str) -> bool:
    """Whether the requantiser called `name` makes a mean of a sum over the image."""
    return isinstance(net.layers[net.sources[name][0]], SumPool)


_skeleton = lru_cache(maxsize=64)(_build)
"""Nets whose own weights are never used: `functional_call` lends them those of the supernet."""


def _place(stage: int, layer: int, source: int) -> str:
    """Position of a layer; the first of a stage has one for each stage that it may read."""
    place = f"stage{stage}_{layer}" if layer else f"stage{stage}_0_{source}"
    return place.replace("-1", "first")


def _sources(space: Space, stage: int) -> Iterator[int]:
    """Stages whose output `stage` may read: further ones where those between may be empty."""
    for s in range(stage - 1, -1, -1):
        yield s
        if 0 not in space.stages[s].depth:
            return
    yield -1


def _ends(space: Space) -> set[tuple[int, int, int]]:
    """What the last layer may read: (height, width, source), a mean over the image being 1×1."""
    sizes = {(*space.shape[:2], -1)}
    for s, stage in enumerate(space.stages):
        sizes = {
            (_reduced(h, how, depth), _reduced(w, how, depth), s if depth else source)
            for h, w, source in sizes
            for depth in stage.depth
            for how in stage.reduce
        }
    flat = sizes if "flatten" in space.heads else set()
    mean = {(1, 1, source) for *_, source in sizes} if "globalavg" in space.heads else set()
    return flat | mean


def _reduced(size: int, how: str, depth: int) -> int:
    """Size behind a stage: a strided layer pads an odd image, a 2×2 pool cuts it."""
    if how == "none":
        return size
    return -(-size // 2) if how == "stride" and depth else size // 2
