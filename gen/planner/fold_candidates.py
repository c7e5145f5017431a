"""Folding: how many PE and SIMD lanes a layer may get, what multiplies, and where memories live.

Each layer offers its foldings, with cycles and cost; `gen.planner.fold_optimiser` picks among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from gen.cost.cost import CostModel, cost_of, costs, predict
from gen.cost.engine_features import simd
from gen.plan.fold_array import Array, FoldArray, tabled
from gen.plan.layer_shape import LayerShape, layer_shape, walk
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Cost, Fold, Multiplier
from gen.support.devices import Device
from model.spec import Add, Head, Input
from rtl.pe.element import pe as element

WIDEST = 64
"""Largest PE, and largest SIMD: beyond it the fan-out costs more clock than it gains."""
DEEP = 16
"""Words from which on a memory may take a block of RAM."""
SMALL = {"distributed": 1 << 13, "logic": 1 << 9}
"""Bits up to which a memory of activations may be made of LUTs."""
LINE_BUFFERS = ("logic", "distributed", "block")
ROMS = ("logic", "block", "parts")


@dataclass(frozen=True)
class FoldCandidate:
    """One folding of a layer."""

    fold: Fold
    cycles: int
    cost: Cost


class FoldCandidates:
    """The foldings of a layer that are not dominated by another one in cycles and all resources.

    cycles: ascending. costs: (options, 4) LUTs, flip-flops, multipliers, blocks of RAM.
    """

    def __init__(self, layer: LoweredLayer, device: Device, model: CostModel | None = None) -> None:
        self.layer, self.device, self.model = layer, device, model
        self._offers = offers(layer, device)
        cycles = cycles_of(layer, self._offers)
        table = costs(layer, self._offers, device, model)
        order = np.lexsort((table[:, 0], cycles))
        self._kept = order[_undominated(table[order])]
        self.cycles, self.costs = cycles[self._kept], table[self._kept]
        self._picked: dict[int, FoldCandidate] = {}
        self._others: dict[Fold, FoldCandidate] = {}

    def cheapest(self, price: np.ndarray, cycles: int) -> FoldCandidate:
        """At prices of the four resources, among those of at most `cycles` cycles."""
        enough = int(np.searchsorted(self.cycles, cycles, side="right"))
        i = int(np.argmin(self.costs[:enough] @ price))
        if i not in self._picked:
            fold = self._offers[self._kept[i]]
            self._picked[i] = FoldCandidate(fold, int(self.cycles[i]), cost_of(self.costs[i]))
        return self._picked[i]

    def option(self, fold: Fold) -> FoldCandidate:
        """Any folding of the layer."""
        if fold not in self._others:
            alone = FoldArray.of([fold])
            cycles = int(cycles_of(self.layer, alone)[0])
            cost = predict(self.layer, fold, self.device, self.model)
            self._others[fold] = FoldCandidate(fold, cycles, cost)
        return self._others[fold]


def _undominated(costs: np.ndarray) -> np.ndarray:
    """Mask of the rows that no earlier row is at most as large as, in all columns."""
    worse = np.ones((len(costs), len(costs)), dtype=bool)
    for column in costs.T:
        worse &= column[:, None] <= column
    undominated: np.ndarray = ~np.any(np.triu(worse, 1), axis=0)
    return undominated


def divisors(n: int, most: int) -> list[int]:
    """Of n, up to `most`, ascending."""
    return [d for d in range(1, min(n, most) + 1) if n % d == 0]


def cycles_of(layer: LoweredLayer, f: FoldArray) -> Array:
    """Cycles an image of each folding, when neither neighbour makes the layer wait."""
    h, w, c = layer.out.shape
    match layer.op:
        case Input():
            return np.full(len(f), h * w * c)
        case Head():
            return np.full(len(f), c * -(-layer.out.bits // 8) + 1)
        case Add():
            return h * w * c // f.lanes
    if layer.blocks:
        h, w, c = layer.sources[0].shape
        return h * w * c // f.lanes
    return _engine_cycles(layer_shape(layer), f)


def _engine_cycles(shape: LayerShape, f: FoldArray) -> Array:
    def once(lanes: int, taps: int) -> list[int]:
        return [walk(shape.window, shape.depthwise, lanes, taps).cycles]

    cycles: Array = tabled(once, f.lanes, f.taps)[0]
    return cycles if shape.depthwise else cycles * (shape.channels // f.pe)


def folds(layer: LoweredLayer, device: Device) -> list[Fold]:
    """Every sensible folding of a layer on a device."""
    every = offers(layer, device)
    return [every[i] for i in range(len(every))]


def offers(layer: LoweredLayer, device: Device) -> FoldArray:
    """The same as arrays."""
    if isinstance(layer.op, Input | Head):
        return FoldArray.of([Fold()])
    both: tuple[Multiplier, ...] = ("dsp", "lut")
    requants = both if layer.requantise and device.dsp else both[1:]
    if not isinstance(layer.op, Add) and not layer.blocks:
        multipliers = both if element(layer.kind).MULTIPLIES and device.dsp else both[1:]
        return _engine_offers(layer_shape(layer).shape, device, multipliers, requants)
    return _word_offers(layer, device, requants)


def _word_offers(
    layer: LoweredLayer, device: Device, requants: tuple[Multiplier, ...]
) -> FoldArray:
    """Of a pool or a join, which takes words as they come.

    A pool reads and writes its memory in one cycle, for which distributed RAM is far faster.
    """
    lanes = np.array(divisors(layer.out.shape[2], 8))
    depth, bits = np.ones_like(lanes), np.zeros_like(lanes)
    if layer.window is not None:
        depth, bits = layer.out.shape[2] // lanes * layer.out.shape[1], lanes * layer.sums.bits
    buffers = _line_buffer_styles(depth, bits, np.ones_like(lanes), device)
    fast = buffers[:, LINE_BUFFERS.index("distributed")]
    buffers[fast] = [style == "distributed" for style in LINE_BUFFERS]
    feasible = buffers[:, None, :] & np.ones((1, len(requants), 1), dtype=bool)
    n, by, buffer = np.nonzero(feasible)
    ones, logic = np.ones_like(n), np.full(len(n), "logic")
    return FoldArray(
        lanes[n], lanes[n], ones, lanes[n], np.full(len(n), "lut"), np.array(requants)[by],
        logic, np.array(LINE_BUFFERS)[buffer], np.zeros_like(n), np.full(len(n), "pixel"),
    )  # fmt: skip


def _line_buffer_styles(depth: Array, bits: Array, copies: Array, device: Device) -> Array:
    """(foldings, LINE_BUFFERS): where the memory of activations may live.

    Small ones in LUTs, deep ones in blocks of RAM.
    """
    small = "distributed" if device.distributed_ram else "logic"
    none = (depth == 1) | (bits == 0)
    fits = ~none & (depth * bits * copies <= SMALL[small])
    styles = np.zeros((len(depth), len(LINE_BUFFERS)), dtype=bool)
    styles[:, LINE_BUFFERS.index(small)] = fits
    styles[none, LINE_BUFFERS.index("logic")] = True
    styles[:, LINE_BUFFERS.index("block")] = ~none & ((depth >= DEEP) | ~fits)
    return styles


def _rom_styles(shape: LayerShape, lanes: Array, device: Device) -> Array:
    """(foldings, ROMS): where the weights may live."""
    logic = not shape.weights or shape.weights * shape.w_bits <= 1 << 14
    depth = shape.weights // lanes
    block = (depth >= DEEP) | (not logic)
    parts = block & device.bram_parts
    return np.stack([np.full(len(lanes), logic), block & ~parts, parts], axis=1)


@lru_cache(1 << 10)
def _engine_offers(
    shape: LayerShape, device: Device, multipliers: tuple[Multiplier, ...],
    requants: tuple[Multiplier, ...],
) -> FoldArray:  # fmt: skip
    """All shapes, with each choice of what multiplies and of where memories live."""
    offered = _shapes(shape)
    depth = np.array([walk(shape.window, shape.depthwise, n, 1).depth for n in offered.lanes])
    buffers = _line_buffer_styles(depth, offered.lanes * shape.x_bits, offered.taps, device)
    roms = _rom_styles(shape, offered.pe * simd(shape, offered), device)
    choices = np.ones((1, len(multipliers), len(requants), 1, 1), dtype=bool)
    feasible = choices & roms[:, None, None, :, None] & buffers[:, None, None, None, :]
    i, multiplier, requant, rom, buffer = np.nonzero(feasible)
    return FoldArray(
        offered.pe[i], offered.lanes[i], offered.taps[i], offered.out_lanes[i],
        np.array(multipliers)[multiplier], np.array(requants)[requant],
        np.array(ROMS)[rom], np.array(LINE_BUFFERS)[buffer],
        np.zeros_like(i), np.full(len(i), "pixel"),
    )  # fmt: skip


def _shapes(shape: LayerShape) -> FoldArray:
    """PE, lanes, taps in parallel, and the fewest output lanes that keep up."""
    (kh, kw), (_, _, c) = shape.window.kernel, shape.window.source
    tap_counts = sorted({1, kh, kh * kw}) if max(kh, kw) <= 5 else [1]
    shapes = []
    for lanes, taps in product(divisors(c, WIDEST), tap_counts):
        if lanes * taps > WIDEST:
            continue
        sums = walk(shape.window, shape.depthwise, lanes, taps).sums
        for pe in [lanes] if shape.depthwise else divisors(shape.channels, WIDEST):
            out_lanes = next(d for d in divisors(pe, pe) if pe // d <= sums)
            shapes.append(Fold(pe=pe, lanes=lanes, taps=taps, out_lanes=out_lanes))
    return FoldArray.of(shapes)
