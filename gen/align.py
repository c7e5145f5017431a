"""Words of neighbours made to fit each other.

A converter between words of a and b channels passes gcd(a, b) of them a cycle, which can be less
than either side gives or takes. So pools and joins take words as they come, and an engine drains
more channels at once where a converter behind it would hold everything up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd, prod

from gen.lower import Layer
from gen.plan import Fold
from model.spec import Add, Head, Input

SPARE = 0.75
"""Share of the cycles in which a pool may work that is followed by a narrower stream."""


def follows(layer: Layer) -> bool:
    """The layer handles one word a cycle of whatever width its source has."""
    return isinstance(layer.op, Add) or layer.blocks


def align(layers: Sequence[Layer], folds: Mapping[str, Fold], cycles: int) -> dict[str, Fold]:
    """`folds` with drains and widths such that no converter needs more than `cycles` an image."""
    by_name = {layer.name: layer for layer in layers}
    found = dict(folds)
    for layer in layers:
        if isinstance(layer.op, Input) or follows(layer):
            continue
        for name, tensor in zip(layer.inputs, layer.sources, strict=True):
            source, pooled = _source(by_name, name)
            if isinstance(by_name[source].op, Input):
                continue
            lanes = 1 if isinstance(layer.op, Head) else found[layer.name].lanes
            need = _Need(prod(tensor.shape), pooled, lanes, cycles)
            found[source] = need.widen(found[source])
    for layer in layers:
        if follows(layer):
            n = found[_source(by_name, layer.inputs[0])[0]].drain
            found[layer.name] = replace(found[layer.name], pe=n, lanes=n, drain=n)
    return found


def _source(by_name: Mapping[str, Layer], name: str) -> tuple[str, int]:
    """The engine or input whose words reach readers of `name`, through pools and joins.

    And the most values an image that one of these takes.
    """
    most = 0
    while follows(by_name[name]):
        most = max(most, prod(by_name[name].sources[0].shape))
        name = by_name[name].inputs[0]
    return name, most


@dataclass(frozen=True)
class _Need:
    """What a reader of `lanes` channels a word asks of the engine before it.

    values: of an image at the reader. pooled: of an image at a pool or join between the two.
    """

    values: int
    pooled: int
    lanes: int
    cycles: int

    def met(self, drain: int) -> bool:
        """A pool gives its words in bursts: it needs time to spare where these are narrowed."""
        passes = self.values <= self.cycles * gcd(drain, self.lanes)
        return passes and (self.lanes % drain == 0 or self.pooled <= SPARE * self.cycles * drain)

    def widen(self, fold: Fold) -> Fold:
        """`fold` with the least drain that meets the need, or comes next to it."""
        drains = [d for d in range(fold.drain, fold.pe + 1) if fold.pe % d == 0]
        enough = (d for d in drains if self.met(d))
        best = max(drains, key=lambda d: gcd(d, self.lanes))
        return replace(fold, drain=next(enough, best))
