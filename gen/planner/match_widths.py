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
from gen.plan.plan import Fold
from model.spec import Add, Head, Input

SPARE = 0.75
"""Share of the cycles that a pool may be busy when a narrower stream follows it."""


def follows(layer: LoweredLayer) -> bool:
    """The layer handles one word a cycle of whatever width its source has."""
    return isinstance(layer.op, Add) or layer.blocks


class WidthMatcher:
    """The widths that readers of a network's words need from the engines before them."""

    def __init__(self, layers: Sequence[LoweredLayer]) -> None:
        by_name = {layer.name: layer for layer in layers}
        self.needs: list[tuple[str, str, _Need]] = []
        self.followers: list[tuple[str, str]] = []
        for layer in layers:
            if follows(layer):
                self.followers.append((layer.name, _source(by_name, layer.inputs[0])[0]))
            elif not isinstance(layer.op, Input):
                self._reads(layer, by_name)

    def _reads(self, layer: LoweredLayer, by_name: Mapping[str, LoweredLayer]) -> None:
        for name, tensor in zip(layer.inputs, layer.sources, strict=True):
            source, pooled = _source(by_name, name)
            if not isinstance(by_name[source].op, Input):
                need = _Need(prod(tensor.shape), pooled, isinstance(layer.op, Head))
                self.needs.append((layer.name, source, need))

    def __call__(self, folds: Mapping[str, Fold], cycles: int) -> dict[str, Fold]:
        """`folds` with widths at which no converter needs more than `cycles` an image."""
        widened = dict(folds)
        for reader, source, need in self.needs:
            widened[source] = need.widen(widened[source], widened[reader].lanes, cycles)
        for name, source in self.followers:
            n = widened[source].out_lanes
            if widened[name].out_lanes != n:
                widened[name] = replace(widened[name], pe=n, lanes=n, out_lanes=n)
        return widened


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
    the two, 0 without one. single: the reader takes one channel a word, as a head does.
    """

    values: int
    pooled: int
    single: bool

    def met(self, drain: int, lanes: int, cycles: int) -> bool:
        """Whether words of `drain` channels, read as words of `lanes`, keep within `cycles`.

        A pool gives its words in bursts, so it needs spare cycles where these are narrowed.
        """
        passes = self.values <= cycles * gcd(drain, lanes)
        return passes and (lanes % drain == 0 or self.pooled <= SPARE * cycles * drain)

    def widen(self, fold: Fold, lanes: int, cycles: int) -> Fold:
        """`fold` with the least drain that meets the need, else that of the fastest converter."""
        lanes = 1 if self.single else lanes
        if self.met(fold.out_lanes, lanes, cycles):
            return fold
        drains = [d for d in range(fold.out_lanes, fold.pe + 1) if fold.pe % d == 0]
        enough = (d for d in drains if self.met(d, lanes, cycles))
        best = max(drains, key=lambda d: gcd(d, lanes))
        return replace(fold, out_lanes=next(enough, best))
