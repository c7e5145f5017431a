"""Folding: how many PE and SIMD lanes a layer may get, what multiplies, and where memories live.

Each layer offers its foldings, with cycles and cost; `gen.choose` picks among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from gen.cost import CostModel, LayerCost
from gen.devices import Device
from gen.features import (
    Call,
    Description,
    Facts,
    engine_calls,
    facts_of,
    place,
    ring_depth,
    ring_size,
)
from gen.lower import Layer
from gen.plan import Cost, Fold, Multiplier
from model.spec import Add, Head, Input

WIDEST = 64
"""Largest PE, and largest SIMD: beyond it the fan-out costs more clock than it gains."""
DEEP = 16
"""Words from which on a memory may take a block of RAM."""
SMALL = {"distributed": 1 << 13, "logic": 1 << 9}
"""Bits up to which a memory of activations may be made of LUTs."""
Offer = tuple[Fold, int]
"""A folding, and its cycles an image when neither neighbour makes the layer wait."""


@dataclass(frozen=True)
class Option:
    """One folding of a layer."""

    fold: Fold
    cycles: int
    cost: Cost


class Options:
    """The foldings of a layer that are not beaten by another one in cycles and all resources.

    folds, cycles (ascending), and costs, (options, 4): LUTs, flip-flops, multipliers, blocks.
    """

    def __init__(self, layer: Layer, device: Device, model: CostModel | None = None) -> None:
        self.layer = layer
        self.price = LayerCost(layer, device, model)
        offers = _offers(layer, device)
        cycles = np.array([n for _, n in offers.foldings])
        costs = self.price.rows(offers.calls)[offers.parts].sum(1)
        order = np.lexsort((costs[:, 0], cycles))
        kept = order[_unbeaten(costs[order])]
        self.folds = [offers.foldings[i][0] for i in kept]
        self.cycles, self.costs = cycles[kept], costs[kept]

    def cheapest(self, price: np.ndarray, cycles: int) -> Option:
        """At prices of the four resources, among those of at most `cycles` cycles."""
        enough = int(np.searchsorted(self.cycles, cycles, side="right"))
        i = int(np.argmin(self.costs[:enough] @ price))
        lut, ff, dsp, bram = self.costs[i].tolist()
        return Option(self.folds[i], int(self.cycles[i]), Cost(lut, ff, int(dsp), int(bram)))

    def option(self, fold: Fold) -> Option:
        """Any folding of the layer."""
        return Option(fold, cycles_of(self.layer, fold), self.price.cost(fold))


def _unbeaten(costs: np.ndarray) -> np.ndarray:
    """Mask of the rows that no earlier row is at most as large as, in all columns."""
    worse = np.ones((len(costs), len(costs)), dtype=bool)
    for column in costs.T:
        worse &= column[:, None] <= column
    unbeaten: np.ndarray = ~np.any(np.triu(worse, 1), axis=0)
    return unbeaten


def divisors(n: int, most: int) -> list[int]:
    """Of n, up to `most`, ascending."""
    return [d for d in range(1, min(n, most) + 1) if n % d == 0]


def cycles_of(layer: Layer, fold: Fold) -> int:
    """Cycles an image when neither neighbour makes the layer wait."""
    match layer.op:
        case Input(shape=(h, w, c)):
            return h * w * c
        case Head():
            return layer.out.shape[2] * -(-layer.out.bits // 8) + 1
        case Add():
            h, w, c = layer.out.shape
            return h * w * c // fold.lanes
    if layer.blocks:
        h, w, c = layer.sources[0].shape
        return h * w * c // fold.lanes
    return place(facts_of(layer), fold.lanes, fold.parallel, fold.pe).cycles


def folds(layer: Layer, device: Device) -> list[Fold]:
    """Every sensible folding of a layer on a device."""
    return [fold for fold, _ in _offers(layer, device).foldings]


@dataclass(frozen=True)
class Offers:
    """All foldings of a layer, and their parts, of which many have the same.

    calls: different parts. parts, (foldings, parts of each): indices into them.
    """

    foldings: Sequence[Offer]
    calls: tuple[Call, ...]
    parts: np.ndarray

    @staticmethod
    def of(foldings: Sequence[Offer], calls_of: Callable[[Fold], tuple[Call, ...]]) -> Offers:
        numbers: dict[Call, int] = {}
        parts = [
            [numbers.setdefault(call, len(numbers)) for call in calls_of(fold)]
            for fold, _ in foldings
        ]
        return Offers(foldings, tuple(numbers), np.array(parts, dtype=int))


def _offers(layer: Layer, device: Device) -> Offers:
    calls_of = Description(layer, device).calls
    if isinstance(layer.op, Input | Head):
        return Offers.of([(Fold(), cycles_of(layer, Fold()))], calls_of)
    both: tuple[Multiplier, ...] = ("dsp", "lut")
    requants = both if layer.requantise and device.dsp else both[1:]
    if not isinstance(layer.op, Add) and not layer.blocks:
        multipliers = both if layer.kind == "mult" and device.dsp else both[1:]
        scaled = layer.requantise is not None
        return _engine_offers(facts_of(layer).shape, device, multipliers, requants, scaled)
    found = [
        (fold, cycles_of(layer, fold))
        for n, b in product(divisors(layer.out.shape[2], 8), requants)
        for fold in _with_rings(layer, Fold(pe=n, lanes=n, drain=n, requant=b), device)
    ]
    return Offers.of(found, calls_of)


def _with_rings(layer: Layer, fold: Fold, device: Device) -> list[Fold]:
    """A pool reads and writes its memory in one cycle, for which distributed RAM is far faster."""
    depth, bits = ring_size(layer, fold)
    styles = _ring_styles(depth, bits, 1, device)
    found = [style for style in styles if style == "distributed"] or styles
    return [replace(fold, ring=style) for style in found]


def _ring_styles(depth: int, bits: int, copies: int, device: Device) -> tuple[str, ...]:
    """Where the memory of activations may live: small ones in LUTs, deep ones in blocks of RAM."""
    if depth == 1 or bits == 0:
        return ("logic",)
    small = "distributed" if device.distributed_ram else "logic"
    found = (small,) if depth * bits * copies <= SMALL[small] else ()
    return (*found, "block") if depth >= DEEP or not found else found


def _rom_styles(facts: Facts, lanes: int) -> tuple[str, ...]:
    if not facts.weights:
        return ("logic",)
    depth = facts.weights // lanes
    found = ("logic",) if facts.weights * facts.w_bits <= 1 << 14 else ()
    return (*found, "block") if depth >= DEEP or not found else found


@lru_cache(1 << 12)
def _engine_offers(
    facts: Facts, device: Device, multipliers: tuple[Multiplier, ...],
    requants: tuple[Multiplier, ...], scaled: bool,
) -> Offers:  # fmt: skip
    found = []
    for shape in _shapes(facts):
        g = place(facts, shape.lanes, shape.parallel, shape.pe)
        roms = _rom_styles(facts, shape.pe * facts.simd(shape))
        rings = _ring_styles(
            ring_depth(facts.window, shape.lanes),
            shape.lanes * facts.x_bits,
            shape.parallel,
            device,
        )
        found += [
            (replace(shape, multiplier=a, requant=b, weights=c, ring=d), g.cycles)
            for a, b, c, d in product(multipliers, requants, roms, rings)
        ]
    return Offers.of(found, lambda fold: engine_calls(facts, fold, scaled))


def _shapes(facts: Facts) -> list[Fold]:
    """PE, lanes, parallel taps, and the fewest drain lanes that keep up."""
    (kh, kw), (_, _, c) = facts.window.kernel, facts.window.source
    taps = sorted({1, kh, kh * kw}) if max(kh, kw) <= 5 else [1]
    found = []
    for lanes, parallel in product(divisors(c, WIDEST), taps):
        if lanes * parallel > WIDEST:
            continue
        pes = [lanes] if facts.depthwise else divisors(facts.channels, WIDEST)
        for pe in pes:
            sums = place(facts, lanes, parallel, pe).slots_per_sum
            drain = next(d for d in divisors(pe, pe) if pe // d <= sums)
            found.append(Fold(pe=pe, lanes=lanes, parallel=parallel, drain=drain))
    return found
