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

from model.arch import Architecture, Block, validate
from model.kinds import plain_kind
from search.space.candidate import Candidate, Choice, SpaceError, StageChoice
from search.space.stage import Stage, heaviest, mutate_layer, redraw, sample_layer

__all__ = ["Candidate", "Choice", "Space", "SpaceError", "Stage", "StageChoice"]
REDUCTIONS = ("none", "maxpool", "stride")
HEADS = ("flatten", "globalavg")


@dataclass(frozen=True)
class Space:
    """All networks for images of one shape.

    act_bits: of activations between layers, where a layer chooses none of its own; the widest that
    there are.
    """

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

    @cached_property
    def acts(self) -> tuple[int, ...]:
        """Widths that activations may have, and those of a mean over the image, in order."""
        layers = [*self.first, *(c for stage in self.stages for c in stage.choices)]
        return tuple(sorted({self.act_bits, *(c.act_bits or self.act_bits for c in layers)}))

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({c.kind for stage in self.stages for c in stage.choices}))

    def sample(self, rng: random.Random) -> Candidate:
        """A random network: uniform in depth, channels, kind, and then in the layers of a kind."""
        return Candidate(
            rng.choice(self.first_channels), sample_layer(self.first, rng),
            tuple(stage.sample(rng) for stage in self.stages),
            rng.choice(self.heads), sample_layer(self.last, rng),
        )  # fmt: skip

    def mutate(self, parent: Candidate, rng: random.Random, rate: float = 0.2) -> Candidate:
        """`parent` with each gene drawn anew with probability `rate`; never `parent` itself."""
        if self.size == 1:
            return parent
        while True:
            child = Candidate(
                redraw(parent.first_channels, self.first_channels, rng, rate),
                mutate_layer(parent.first, self.first, rng, rate),
                tuple(
                    stage.mutate(own, rng, rate)
                    for own, stage in zip(parent.stages, self.stages, strict=True)
                ),
                redraw(parent.head, self.heads, rng, rate),
                mutate_layer(parent.last, self.last, rng, rate),
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
        """Most channels, layers, weights and bits, all of `kind` where a stage has such layers (the
        ends as in `restrict`)."""
        if kind not in self.kinds:
            raise SpaceError(f"kind {kind}: no layer of the space has it")
        stages = tuple(stage.largest(kind) for stage in self.stages)
        return Candidate(
            max(self.first_channels), heaviest(_ends(self.first, [kind])), stages, self.heads[0],
            heaviest(_ends(self.last, [kind])),
        )  # fmt: skip

    def restrict(self, kinds: Sequence[str]) -> Space:
        """The networks whose layers are of `kinds` only; raises SpaceError if none is.

        A first or last layer that cannot be is of products, as published; so is a stage that has
        none of these and may not be left out.
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
            left_out = not kept and 0 in stage.depth
            stages.append(
                replace(stage, choices=(), depth=(0,))
                if left_out
                else replace(stage, choices=_ends(stage.choices, kinds))
            )
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
            and all(own in stage for own, stage in zip(candidate.stages, self.stages, strict=True))
        )

    def architecture(self, candidate: Candidate) -> Architecture:
        """The Architecture of a candidate; its name ends with its id."""
        blocks = [self._block(candidate.first, candidate.first_channels)]
        for stage in candidate.stages:
            strided = stage.reduce == "stride"
            if stage.reduce == "maxpool":
                blocks.append(Block("maxpool", kernel=2, stride=2))
            for i, layer in enumerate(stage.layers):
                stride = 2 if strided and i == 0 else 1
                blocks.append(self._block(layer, stage.channels, stride))
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

    def _block(self, choice: Choice, channels: int, stride: int = 1) -> Block:
        return Block(
            choice.op, choice.kind, channels, choice.kernel, stride, weight_bits=choice.bits,
            act_bits=choice.act_bits or self.act_bits,
        )  # fmt: skip

    def id(self, candidate: Candidate) -> str:
        """12 hex digits, the same on every machine: those of its Architecture."""
        return self.architecture(candidate).id


def _ends(choices: Sequence[Choice], kinds: Sequence[str]) -> tuple[Choice, ...]:
    """Those of `kinds`; without any products, as published; without these all."""
    own, products = (
        tuple(c for c in choices if c.kind in among) for among in (kinds, (plain_kind(),))
    )
    return own or products or tuple(choices)
