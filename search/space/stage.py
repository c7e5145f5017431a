"""What a stage of a network may be, and how its choices are drawn and varied.

A residual block keeps what it reads, so it may stand wherever shapes stay as they are: behind the
first layer of a stage.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from search.space.candidate import Choice, StageChoice, plain, unstrided

T = TypeVar("T")
HEAVY = {"separable": 0, "conv": 1, "residual": 2}
"""Ops, by the weights of a kernel."""


@dataclass(frozen=True)
class Stage:
    """What a stage may be: ways to reach its resolution, channels, number of layers, layers."""

    reduce: tuple[str, ...]
    channels: tuple[int, ...]
    depth: tuple[int, ...]
    choices: tuple[Choice, ...]

    @cached_property
    def entries(self) -> tuple[Choice, ...]:
        """What the first layer may be, which reads other channels or another resolution."""
        return tuple(c for c in self.choices if c.op != "residual")

    @property
    def size(self) -> int:
        """Number of different StageChoices."""
        full: int = sum(len(self.entries) * len(self.choices) ** (d - 1) for d in self.depth if d)
        empty = len({unstrided(r) for r in self.reduce}) if 0 in self.depth else 0
        return full * len(self.channels) * len(self.reduce) + empty

    def __contains__(self, choice: StageChoice) -> bool:
        if not choice.layers:
            reduced = {unstrided(r) for r in self.reduce}
            return 0 in self.depth and choice.reduce in reduced and choice.channels == 0
        return (
            choice.reduce in self.reduce
            and choice.channels in self.channels
            and len(choice.layers) in self.depth
            and set(choice.layers) <= set(self.choices)
            and choice.layers[0].op != "residual"
        )

    def largest(self, kind: str) -> StageChoice:
        """Most channels, layers, weights and bits, all of `kind` if there are such layers."""
        if not max(self.depth):
            return _stage_choice(self.reduce[0], 0, ())
        entry, further = (heaviest(among, kind) for among in (self.entries, self.choices))
        layers = (entry, *(max(self.depth) - 1) * (further,))
        return StageChoice(self.reduce[0], max(self.channels), layers)

    def sample(self, rng: random.Random) -> StageChoice:
        layers = [sample_layer(self._allowed(i), rng) for i in range(rng.choice(self.depth))]
        return _stage_choice(rng.choice(self.reduce), rng.choice(self.channels), layers)

    def mutate(self, parent: StageChoice, rng: random.Random, rate: float) -> StageChoice:
        layers = [mutate_layer(c, self._allowed(i), rng, rate) for i, c in enumerate(parent.layers)]
        depth = redraw(len(layers), self.depth, rng, rate)
        while len(layers) > depth:
            layers.pop(rng.randrange(len(layers)))
        while len(layers) < depth:
            at = rng.randint(0, len(layers))
            layers.insert(at, sample_layer(self._allowed(at), rng))
        channels = parent.channels or rng.choice(self.channels)
        return _stage_choice(
            redraw(parent.reduce, self.reduce, rng, rate),
            redraw(channels, self.channels, rng, rate),
            layers,
        )

    def _allowed(self, at: int) -> tuple[Choice, ...]:
        return self.choices if at else self.entries


def _stage_choice(reduce: str, channels: int, layers: Sequence[Choice]) -> StageChoice:
    if not layers:
        return StageChoice(unstrided(reduce), 0, ())
    return StageChoice(reduce, channels, (plain(layers[0]), *layers[1:]))


def sample_layer(choices: Sequence[Choice], rng: random.Random) -> Choice:
    """By kind first: kinds with many bit widths are not more likely for that."""
    kind = rng.choice(sorted({c.kind for c in choices}))
    return rng.choice([c for c in choices if c.kind == kind])


def mutate_layer(
    layer: Choice, choices: Sequence[Choice], rng: random.Random, rate: float
) -> Choice:
    return _vary(layer, choices, rng) if rng.random() < rate else layer


def _vary(layer: Choice, choices: Sequence[Choice], rng: random.Random) -> Choice:
    """Half the time any other layer, else one that differs in one gene alone: kind, shape, weight
    bits, or bits of its output.

    To another kind, shape stays where it has that shape; its bits are those nearest to the layer's.
    """
    if rng.random() < 0.5:
        return sample_layer(choices, rng)
    near: dict[str, list[Choice]] = {}
    for c in choices:
        if gene := _differing(layer, c):
            near.setdefault(gene, []).append(c)
    if not near:
        return sample_layer(choices, rng)
    gene = rng.choice(sorted(near))
    other = rng.choice(near[gene])
    if gene != "kind":
        return other
    own = [c for c in near["kind"] if c.kind == other.kind]
    return min(own, key=lambda c: abs(c.bits - layer.bits))


def _differing(a: Choice, b: Choice) -> str:
    """The one gene in which they differ, or nothing; with the kind, bits may be others too."""
    differs = {
        "shape": (a.op, a.kernel) != (b.op, b.kernel), "bits": a.bits != b.bits,
        "act_bits": a.act_bits != b.act_bits,
    }  # fmt: skip
    if a.kind != b.kind:
        return "" if differs["shape"] or differs["act_bits"] else "kind"
    names = [name for name, other in differs.items() if other]
    return names[0] if len(names) == 1 else ""


def redraw(value: T, among: Sequence[T], rng: random.Random, rate: float) -> T:
    return rng.choice(among) if rng.random() < rate else value


def heaviest(choices: Sequence[Choice], kind: str | None = None) -> Choice:
    """Most weights, then bits of these and of the output; of `kind` if there are such."""
    own = [c for c in choices if c.kind == kind] or choices
    return max(own, key=lambda c: (HEAVY.get(c.op, 0), c.kernel, c.bits, c.act_bits))
