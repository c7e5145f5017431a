"""Widths of the words between neighbours, matched so that no converter slows the network.

A converter between words of a and b channels passes gcd(a, b) channels a cycle, which can be less
than either side gives or takes. So pools and joins take the width of their source, and an engine
gets wider output words where the converter behind it would need too many cycles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd, prod

from gen.plan.lower import LoweredLayer
from gen.plan.plan import WORDS, Fold, Word
from gen.plan.spread import word_values
from model.spec import Add, Input

SPARE = 0.75
"""Share of the cycles that a pool may be busy when a narrower stream follows it."""


def follows(layer: LoweredLayer) -> bool:
    """The layer handles one word a cycle of whatever width its source has."""
    return isinstance(layer.op, Add) or layer.blocks


class WidthMatcher:
    """The widths that readers of a network's words need from the engines before them.

    variants: of each pool and join, by what a word holds, the fold that is the cheapest. ports:
    values of a word that the input may have, ascending.
    """

    def __init__(
        self, layers: Sequence[LoweredLayer], variants: Mapping[str, Mapping[Word, Fold]],
        ports: Sequence[int] = (1,),
    ) -> None:  # fmt: skip
        self.by_name = {layer.name: layer for layer in layers}
        self.input, self.variants, self.ports = layers[0], variants, ports
        self.needs: list[tuple[str, str, _Need]] = []
        self.followers: list[tuple[str, str]] = []
        for layer in layers:
            if follows(layer):
                self.followers.append((layer.name, _source(self.by_name, layer.inputs[0])[0]))
            elif not isinstance(layer.op, Input):
                self._reads(layer)

    def _reads(self, layer: LoweredLayer) -> None:
        for name, tensor in zip(layer.inputs, layer.sources, strict=True):
            source, pooled = _source(self.by_name, name)
            self.needs.append((layer.name, source, _Need(prod(tensor.shape), pooled)))

    def __call__(self, folds: Mapping[str, Fold], cycles: int) -> dict[str, Fold]:
        """`folds` with widths at which no converter needs more than `cycles` an image."""
        widened = dict(folds)
        widened[self.input.name] = self._port(cycles)
        for reader, source, need in self.needs:
            fold, lanes = widened[source], widened[reader].lanes
            if source == self.input.name:
                wider = [n for n in self.ports if n >= fold.out_lanes]
                n = need.least(wider, lanes, cycles)
                widened[source] = Fold(lanes=n, out_lanes=n)
            else:
                widened[source] = need.widen(fold, lanes, cycles)
        for name, source in self.followers:
            widened[name] = self._follow(self.by_name[name], widened[name], source, widened[source])
        return widened

    def _port(self, cycles: int) -> Fold:
        """The input with the narrowest words that bring an image in time, or the widest."""
        values = prod(self.input.out.shape)
        n = next((n for n in self.ports if n * cycles >= values), self.ports[-1])
        return Fold(lanes=n, out_lanes=n)

    def _follow(self, layer: LoweredLayer, fold: Fold, source: str, before: Fold) -> Fold:
        """`fold` of a pool or join with words as its source's."""
        word = before.word
        if source == self.input.name and before.out_lanes > self.input.out.shape[2]:
            held = {word_values(self.input.out.shape, w): w for w in WORDS[:0:-1]}
            word = held.get(before.out_lanes, "pixel")
        n = word_values(layer.out.shape, word)
        if word == "pixel":
            n = gcd(before.out_lanes, n)
        if fold.weights != "wired" and fold.out_lanes == n:
            return fold
        variant = self.variants[layer.name].get(word, fold)
        if variant.weights == "wired":
            return fold if (fold.weights, fold.word) == ("wired", word) else variant
        kept = fold if fold.weights != "wired" else variant
        return replace(kept, pe=n, lanes=n, out_lanes=n)


def _source(by_name: Mapping[str, LoweredLayer], name: str) -> tuple[str, int]:
    """The engine or input whose words reach readers of `name` through pools and joins, and the most
    values an image that one of these pools and joins takes.
    """
    most = 0
    while follows(by_name[name]):
        most = max(most, prod(by_name[name].sources[0].shape))
        name = by_name[name].inputs[0]
    return name, most


@dataclass(frozen=True)
class _Need:
    """What a reader needs of the engine before it.

    values: values of an image at the reader. pooled: values of an image at a pool or join between
    the two, 0 without one.
    """

    values: int
    pooled: int

    def met(self, drain: int, lanes: int, cycles: int) -> bool:
        """Whether words of `drain` channels, read as words of `lanes`, keep within `cycles`.

        A pool gives its words in bursts, so it needs spare cycles where these are narrowed.
        """
        passes = self.values <= cycles * gcd(drain, lanes)
        return passes and (lanes % drain == 0 or self.pooled <= SPARE * cycles * drain)

    def widen(self, fold: Fold, lanes: int, cycles: int) -> Fold:
        """`fold` with the least drain that meets the need, else that of the fastest converter."""
        drains = [d for d in range(fold.out_lanes, fold.pe + 1) if fold.pe % d == 0]
        drain = self.least(drains, lanes, cycles)
        return fold if drain == fold.out_lanes else replace(fold, out_lanes=drain)

    def least(self, drains: Sequence[int], lanes: int, cycles: int) -> int:
        """The least of `drains` that meets the need, else that of the fastest converter."""
        enough = (d for d in drains if self.met(d, lanes, cycles))
        return next(enough, max(drains, key=lambda d: gcd(d, lanes)))
