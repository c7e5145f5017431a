"""The search space: which hybrid networks there are, declared in one TOML file per image size.

A network is a first convolution, stages that each work at one resolution, and a dense last layer.
Published networks without multiplications keep products in the first and the last; here these may
be of other kinds where the file says so, since in small networks they are most of the cost.
A Candidate is always in canonical form: a skipped layer is left out and not marked, so that equal
networks are equal candidates with equal ids.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, TypeVar

from model.arch import Architecture, Block, validate
from model.errors import ShiftaddError
from model.kinds import kind, plain_kind

T = TypeVar("T")
REDUCTIONS = ("none", "maxpool", "stride")
HEADS = ("flatten", "globalavg")


class SpaceError(ShiftaddError, ValueError):
    """A space file, or what is asked of a space, breaks a rule; one line says which."""


@dataclass(frozen=True, order=True)
class Choice:
    """One weighted layer: operator kind, block op (`conv` or `separable`), kernel, weight bits."""

    kind: str
    op: str
    kernel: int
    bits: int


@dataclass(frozen=True)
class StageChoice:
    """One resolution: how it is reached, channels (0 without layers), the layers that remain."""

    reduce: str
    channels: int
    layers: tuple[Choice, ...]


@dataclass(frozen=True)
class Candidate:
    """One network of a space, in canonical form. first, last: weight bits and channels there."""

    first_channels: int
    first: Choice
    stages: tuple[StageChoice, ...]
    head: str
    last: Choice

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` reads them back."""
        stages = [
            {"reduce": s.reduce, "channels": s.channels, "layers": [_row(c) for c in s.layers]}
            for s in self.stages
        ]
        return {
            "first": [self.first_channels, *_row(self.first)], "stages": stages,
            "head": self.head, "last": _row(self.last),
        }  # fmt: skip

    @staticmethod
    def from_dict(row: dict[str, Any]) -> Candidate:
        channels, *first = row["first"]
        stages = tuple(
            StageChoice(s["reduce"], s["channels"], tuple(Choice(*c) for c in s["layers"]))
            for s in row["stages"]
        )
        return Candidate(channels, Choice(*first), stages, row["head"], Choice(*row["last"]))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the layers in order; products at the ends, as published, do not count."""
        inner = (layer.kind for stage in self.stages for layer in stage.layers)
        first, last = ([end.kind] * (not kind(end.kind).plain) for end in (self.first, self.last))
        return (*first, *inner, *last)


def _row(choice: Choice) -> list[str | int]:
    return [choice.kind, choice.op, choice.kernel, choice.bits]


@dataclass(frozen=True)
class Stage:
    """What a stage may be: ways to reach its resolution, channels, number of layers, layers."""

    reduce: tuple[str, ...]
    channels: tuple[int, ...]
    depth: tuple[int, ...]
    choices: tuple[Choice, ...]

    @property
    def size(self) -> int:
        """Number of different StageChoices."""
        full: int = sum(len(self.choices) ** d for d in self.depth if d)
        empty = len({_unstrided(r) for r in self.reduce}) if 0 in self.depth else 0
        return full * len(self.channels) * len(self.reduce) + empty


@dataclass(frozen=True)
class Space:
    """All networks for images of one shape. `act_bits`: of every activation between layers."""

    name: str
    shape: tuple[int, int, int]
    classes: int
    input_bits: int
    act_bits: int
    score_bits: int
    first_channels: tuple[int, ...]
    first: tuple[Choice, ...]
    stages: tuple[Stage, ...]
    heads: tuple[str, ...]
    last: tuple[Choice, ...]

    @cached_property
    def size(self) -> int:
        """Number of different networks."""
        ends: int = len(self.first_channels) * len(self.first) * len(self.heads) * len(self.last)
        return ends * prod(stage.size for stage in self.stages)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({c.kind for stage in self.stages for c in stage.choices}))

    def sample(self, rng: random.Random) -> Candidate:
        """A random network: uniform in depth, channels, kind, and then in the layers of a kind."""
        return Candidate(
            rng.choice(self.first_channels), _sample_layer(self.first, rng),
            tuple(_sample_stage(stage, rng) for stage in self.stages),
            rng.choice(self.heads), _sample_layer(self.last, rng),
        )  # fmt: skip

    def mutate(self, parent: Candidate, rng: random.Random, rate: float = 0.2) -> Candidate:
        """`parent` with each gene drawn anew with probability `rate`; never `parent` itself."""
        if self.size == 1:
            return parent
        while True:
            child = Candidate(
                _redraw(parent.first_channels, self.first_channels, rng, rate),
                _mutate_layer(parent.first, self.first, rng, rate),
                tuple(
                    _mutate_stage(s, stage, rng, rate)
                    for s, stage in zip(parent.stages, self.stages, strict=True)
                ),
                _redraw(parent.head, self.heads, rng, rate),
                _mutate_layer(parent.last, self.last, rng, rate),
            )
            if child != parent:
                return child

    def crossover(self, a: Candidate, b: Candidate, rng: random.Random) -> Candidate:
        """Each end, and each stage as a whole, from one of the two parents."""
        stages = tuple(rng.choice(pair) for pair in zip(a.stages, b.stages, strict=True))
        first = rng.choice((a, b))
        last = rng.choice((a, b))
        return Candidate(first.first_channels, first.first, stages, last.head, last.last)

    def largest(self, kind: str) -> Candidate:
        """Most channels, layers, weights and bits, all of `kind` (the ends as in `restrict`)."""
        stages = tuple(
            StageChoice(
                s.reduce[0], max(s.channels), max(s.depth) * (_heaviest(s.choices, kind),)
            )
            for s in self.stages
        )  # fmt: skip
        return Candidate(
            max(self.first_channels), _heaviest(_ends(self.first, [kind])), stages, self.heads[0],
            _heaviest(_ends(self.last, [kind])),
        )  # fmt: skip

    def restrict(self, kinds: Sequence[str]) -> Space:
        """The networks whose layers are of `kinds` only; raises SpaceError if none is.

        A first or last layer that cannot be is of products, as published.
        """
        unknown = sorted(set(kinds) - set(self.kinds))
        if unknown or not kinds:
            raise SpaceError(
                f"kinds {', '.join(unknown) or 'none'}: not in space {self.name}, "
                f"which has {', '.join(self.kinds)}"
            )
        stages = []
        for stage in self.stages:
            kept = tuple(c for c in stage.choices if c.kind in kinds)
            stages.append(replace(stage, choices=kept, depth=stage.depth if kept else (0,)))
        return replace(
            self, name=f"{self.name}-{'-'.join(sorted(kinds))}", stages=tuple(stages),
            first=_ends(self.first, kinds), last=_ends(self.last, kinds),
        )  # fmt: skip

    def __contains__(self, candidate: Candidate) -> bool:
        return (
            candidate.first_channels in self.first_channels
            and candidate.first in self.first
            and candidate.head in self.heads
            and candidate.last in self.last
            and len(candidate.stages) == len(self.stages)
            and all(map(_belongs, candidate.stages, self.stages))
        )

    def architecture(self, candidate: Candidate) -> Architecture:
        """The Architecture of a candidate; its name ends with its id."""
        blocks = [_block(candidate.first, candidate.first_channels, self.act_bits)]
        for stage in candidate.stages:
            strided = stage.reduce == "stride"
            if stage.reduce == "maxpool":
                blocks.append(Block("maxpool", kernel=2, stride=2))
            for i, layer in enumerate(stage.layers):
                stride = 2 if strided and i == 0 else 1
                blocks.append(_block(layer, stage.channels, self.act_bits, stride))
        if candidate.head == "globalavg":
            blocks.append(Block("globalavg", act_bits=self.act_bits))
        blocks.append(
            Block(
                "dense", candidate.last.kind, self.classes,
                weight_bits=candidate.last.bits, act_bits=self.score_bits,
            )
        )  # fmt: skip
        arch = Architecture(self.name, self.shape, tuple(blocks), self.input_bits)
        return validate(replace(arch, name=f"{self.name}-{arch.id}"))

    def id(self, candidate: Candidate) -> str:
        """12 hex digits, the same on every machine: those of its Architecture."""
        return self.architecture(candidate).id


def _unstrided(reduce: str) -> str:
    """Without a layer there is nothing that could stride."""
    return "maxpool" if reduce == "stride" else reduce


def _stage_choice(reduce: str, channels: int, layers: Sequence[Choice]) -> StageChoice:
    if not layers:
        return StageChoice(_unstrided(reduce), 0, ())
    return StageChoice(reduce, channels, tuple(layers))


def _ends(choices: Sequence[Choice], kinds: Sequence[str]) -> tuple[Choice, ...]:
    """Those of `kinds`; without any products, as published; without these all."""
    own, products = (
        tuple(c for c in choices if c.kind in among) for among in (kinds, (plain_kind(),))
    )
    return own or products or tuple(choices)


def _sample_layer(choices: Sequence[Choice], rng: random.Random) -> Choice:
    """By kind first: kinds with many bit widths are not more likely for that."""
    kind = rng.choice(sorted({c.kind for c in choices}))
    return rng.choice([c for c in choices if c.kind == kind])


def _mutate_layer(
    layer: Choice, choices: Sequence[Choice], rng: random.Random, rate: float
) -> Choice:
    return _vary(layer, choices, rng) if rng.random() < rate else layer


def _vary(layer: Choice, choices: Sequence[Choice], rng: random.Random) -> Choice:
    """Half the time any other layer, else one that differs in kind, in shape or in bits alone.

    To another kind, shape stays where it has that shape; its bits are those nearest to the layer's.
    """
    if rng.random() < 0.5:
        return _sample_layer(choices, rng)
    near: dict[str, list[Choice]] = {"kind": [], "shape": [], "bits": []}
    for c in choices:
        differs = (c.kind != layer.kind, (c.op, c.kernel) != (layer.op, layer.kernel))
        match differs, c.bits != layer.bits:
            case (True, False), _:
                near["kind"].append(c)
            case (False, True), False:
                near["shape"].append(c)
            case (False, False), True:
                near["bits"].append(c)
    ways = [group for group in near.values() if group]
    if not ways:
        return _sample_layer(choices, rng)
    other = rng.choice(rng.choice(ways))
    own = [c for c in near["kind"] if c.kind == other.kind]
    return min(own, key=lambda c: abs(c.bits - layer.bits)) if own else other


def _sample_stage(stage: Stage, rng: random.Random) -> StageChoice:
    layers = [_sample_layer(stage.choices, rng) for _ in range(rng.choice(stage.depth))]
    return _stage_choice(rng.choice(stage.reduce), rng.choice(stage.channels), layers)


def _mutate_stage(
    parent: StageChoice, stage: Stage, rng: random.Random, rate: float
) -> StageChoice:
    layers = [_mutate_layer(c, stage.choices, rng, rate) for c in parent.layers]
    depth = _redraw(len(layers), stage.depth, rng, rate)
    while len(layers) > depth:
        layers.pop(rng.randrange(len(layers)))
    while len(layers) < depth:
        layers.insert(rng.randint(0, len(layers)), _sample_layer(stage.choices, rng))
    channels = parent.channels or rng.choice(stage.channels)
    return _stage_choice(
        _redraw(parent.reduce, stage.reduce, rng, rate),
        _redraw(channels, stage.channels, rng, rate),
        layers,
    )


def _redraw(value: T, among: Sequence[T], rng: random.Random, rate: float) -> T:
    return rng.choice(among) if rng.random() < rate else value


def _heaviest(choices: Sequence[Choice], kind: str | None = None) -> Choice:
    """Dense before separable, then kernel, then bits."""
    own = [c for c in choices if kind in (None, c.kind)]
    if not own:
        raise SpaceError(f"kind {kind}: no layer of the space has it")
    return max(own, key=lambda c: (c.op == "conv", c.kernel, c.bits))


def _belongs(choice: StageChoice, stage: Stage) -> bool:
    if not choice.layers:
        reduced = {_unstrided(r) for r in stage.reduce}
        return 0 in stage.depth and choice.reduce in reduced and choice.channels == 0
    return (
        choice.reduce in stage.reduce
        and choice.channels in stage.channels
        and len(choice.layers) in stage.depth
        and set(choice.layers) <= set(stage.choices)
    )


def _block(choice: Choice, channels: int, act_bits: int, stride: int = 1) -> Block:
    return Block(
        choice.op, choice.kind, channels, choice.kernel, stride,
        weight_bits=choice.bits, act_bits=act_bits,
    )  # fmt: skip
