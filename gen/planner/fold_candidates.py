"""Folding: how many PE and SIMD lanes a layer may get, what multiplies, and where memories live.

Each layer offers its foldings, with cycles and cost; `gen.planner.fold_optimiser` picks among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np

from gen.cost.cost import CostModel, cost_of, costs, predict
from gen.cost.engine_features import simd
from gen.cost.lanes import lane_cost
from gen.cost.wired_features import Graphs
from gen.engine.units import geometry
from gen.plan.fold_array import Array, FoldArray, tabled
from gen.plan.layer_shape import LayerShape, layer_shape, walk
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Cost, Fold, Multiplier, ProductStyle, Word
from gen.plan.spread import connections, spread, wired_fold, word_values
from gen.support.devices import Device
from model.spec import Add, Head, Input
from rtl.pe.element import pe as element
from rtl.pe.element import sums_of

WIDEST = 64
"""Largest PE, and largest SIMD: beyond it the fan-out costs more clock than it gains."""
POOLED = 32
"""Largest number of channels of a word of a pool or a join."""
DEEP = 16
"""Words from which on a memory may take a block of RAM."""
SMALL = {"distributed": 1 << 13, "logic": 1 << 9}
"""Bits up to which a memory of activations may be made of LUTs."""
BYTE = 8
"""Bits of a word at a port, unless more are allowed."""
WIRED = 1 << 14
"""Most connections of a graph of adders: those of 4,000 inputs take some seconds to be shared."""
LINE_BUFFERS = ("logic", "distributed", "block")
ROMS = ("logic", "block", "parts")
DSP = list(Cost.__dataclass_fields__).index("dsp")
"""Column of a cost."""
STAGED = 4
"""Bits of a weight from which on a lane is deep enough for a register within: its barrel has as
many multiplexers but one."""
TRIED = 8
"""Foldings, the best ones as they are, that may be divided between multipliers and LUTs."""


@dataclass(frozen=True)
class FoldCandidate:
    """One folding of a layer."""

    fold: Fold
    cycles: int
    cost: Cost


class FoldCandidates:
    """The foldings of a layer that are not dominated by another one in cycles and all resources.

    cycles: ascending. costs: (options, 4) LUTs, flip-flops, multipliers, blocks of RAM. port,
    least: as for `offers`. graphs: see gen.cost.cost.costs.
    """

    def __init__(
        self, layer: LoweredLayer, device: Device, model: CostModel | None = None, *,
        port: int = BYTE, least: int = 0, graphs: Graphs = "own",
    ) -> None:  # fmt: skip
        self.layer, self.device, self.model, self.graphs = layer, device, model, graphs
        self._offers = offers(layer, device, port, least)
        cycles = cycles_of(layer, self._offers)
        table = self._table(self._offers)
        order = np.lexsort((table[:, 0], cycles))
        self._kept = order[_undominated(table[order])]
        self.cycles, self.costs = cycles[self._kept], table[self._kept]
        self._picked: dict[int, FoldCandidate] = {}
        self._others: dict[Fold, FoldCandidate] = {}
        self._counted: set[Fold] = set()

    def cheapest(self, price: np.ndarray, cycles: int) -> FoldCandidate:
        """At prices of the four resources, among those of at most `cycles` cycles."""
        return self._at(int(np.argmin(self.costs[: self._enough(cycles)] @ price)))

    def best(self, price: np.ndarray, cycles: int, room: np.ndarray) -> FoldCandidate:
        """The one that exceeds `room` of the four resources least; of equals, the cheapest. It may
        be divided, so that no multiplier is idle."""
        costs = self.costs[: self._enough(cycles)]
        over, paid = excess(costs, room), costs @ price
        order = np.lexsort((paid, over))
        divided = self._divided(
            [self._offers[self._kept[i]] for i in order[:TRIED]], int(room[DSP])
        )
        if not divided:
            return self._at(int(order[0]))
        table = self._table(FoldArray.of(divided))
        rows = np.concatenate([costs[order[:1]], table])
        first = int(np.lexsort((rows @ price, excess(rows, room)))[0])
        return self.option(divided[first - 1]) if first else self._at(int(order[0]))

    def _divided(self, whole: Sequence[Fold], dsp: int) -> list[Fold]:
        """These with as many of their PE on multipliers as `dsp` allows, the others of LUTs."""
        if self.layer.window is None or self.layer.blocks or dsp <= 0:
            return []
        *styles, _ = multipliers_of(layer_shape(self.layer).shape, self.device)
        if not styles:
            return []
        folded = [fold for fold in whole if fold.weights != "wired"]
        shapes = dict.fromkeys(replace(fold, multiplier="lut") for fold in folded)
        alone = self._multipliers(list(shapes))
        divided: list[Fold] = []
        for by in styles:
            step = sums_of(by)
            wide = [f for f in shapes if f.pe % step == 0 and f.pe > step]
            every = self._multipliers([replace(fold, multiplier=by) for fold in wide])
            for fold, count in every.items():
                others = alone[replace(fold, multiplier="lut")]
                fits = (dsp - others) * fold.pe // max(count - others, 1) // step * step
                if 0 < fits < fold.pe:
                    divided.append(replace(fold, logic_pe=fold.pe - fits))
        return divided

    def _multipliers(self, made: Sequence[Fold]) -> dict[Fold, int]:
        """Those that each of some foldings takes."""
        if not made:
            return {}
        table = self._table(FoldArray.of(made))
        return dict(zip(made, table[:, DSP].astype(int).tolist(), strict=True))

    def _table(self, made: FoldArray) -> np.ndarray:
        """(foldings, 4): what each of some foldings costs."""
        return costs(self.layer, made, self.device, self.model, self.graphs)

    def _enough(self, cycles: int) -> int:
        """How many need at most `cycles` cycles."""
        return int(np.searchsorted(self.cycles, cycles, side="right"))

    def _at(self, i: int) -> FoldCandidate:
        if i not in self._picked:
            fold = self._offers[self._kept[i]]
            self._picked[i] = FoldCandidate(fold, int(self.cycles[i]), cost_of(self.costs[i]))
            self._others[fold] = self._picked[i]
        return self._picked[i]

    def by_word(self) -> dict[Word, Fold]:
        """By what a word holds, the fold of least LUTs."""
        cheapest: dict[Word, Fold] = {}
        for i in np.argsort(self.costs[:, 0], kind="stable").tolist():
            fold = self._offers[self._kept[i]]
            cheapest.setdefault(held_by(self.layer, fold), fold)
        return cheapest

    def option(self, fold: Fold) -> FoldCandidate:
        """Any folding of the layer."""
        if fold not in self._others:
            alone = FoldArray.of([fold])
            cycles = int(cycles_of(self.layer, alone)[0])
            cost = predict(self.layer, fold, self.device, self.model, self.graphs)
            self._others[fold] = FoldCandidate(fold, cycles, cost)
        return self._others[fold]

    def count(self, fold: Fold) -> bool:
        """Counts a wired folding from its own graph; False where it was so before, or is not wired.

        From then on that is what it costs.
        """
        if fold.weights != "wired" or self.graphs == "own" or fold in self._counted:
            return False
        self._counted.add(fold)
        cost = predict(self.layer, fold, self.device, self.model)
        made = self._others[fold] = replace(self.option(fold), cost=cost)
        for i, kept in enumerate(self._kept.tolist()):
            if self._offers[kept] == fold:
                self.costs[i] = astuple(cost)
                self._picked[i] = made
        return True


def excess(used: np.ndarray, has: np.ndarray) -> np.ndarray:
    """What is used beyond what there is, as shares of it, summed over the last axis."""
    over: np.ndarray = (np.maximum(used - has, 0) / np.maximum(has, 0.5)).sum(axis=-1)
    return over


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
    wired = f.weights == "wired"
    if wired.any():
        return _wired_cycles(layer, f, wired)
    h, w, c = layer.out.shape
    match layer.op:
        case Input():
            return h * w * c // f.lanes
        case Head():
            return np.where(f.lanes > 1, 1, c * -(-layer.out.bits // 8) + 1)
        case Add():
            return h * w * c // f.lanes
    if layer.blocks:
        h, w, c = layer.sources[0].shape
        return h * w * c // f.lanes
    return _engine_cycles(layer_shape(layer), f)


def _wired_cycles(layer: LoweredLayer, f: FoldArray, wired: Array) -> Array:
    assert layer.window is not None
    cycles = np.zeros(len(f), dtype=int)
    cycles[wired] = [prod(spread(layer.window, word).out) for word in f.word[wired]]
    if not wired.all():
        cycles[~wired] = cycles_of(layer, f.only(~wired))
    return cycles


def _engine_cycles(shape: LayerShape, f: FoldArray) -> Array:
    def once(lanes: int, taps: int) -> list[int]:
        return [walk(shape.window, shape.depthwise, lanes, taps).cycles]

    cycles: Array = tabled(once, f.lanes, f.taps)[0]
    return cycles if shape.depthwise else cycles * (shape.channels // f.pe)


def folds(layer: LoweredLayer, device: Device) -> list[Fold]:
    """Every sensible folding of a layer on a device, with ports of a byte and no wired weights."""
    every = _folded_offers(layer, device)
    return [every[i] for i in range(len(every))]


def offers(layer: LoweredLayer, device: Device, port: int = BYTE, least: int = 0) -> FoldArray:
    """All foldings that a plan may choose from. port: most bits of a word at the ports. least:
    cycles in which an image comes there, at least."""
    if isinstance(layer.op, Input | Head):
        return FoldArray.of(port_folds(layer, port))
    folded = _folded_offers(layer, device)
    wired = wired_folds(layer, device, least)
    return folded.joined(FoldArray.of(wired)) if wired else folded


def held_by(layer: LoweredLayer, fold: Fold) -> Word:
    """What a word of the layer holds."""
    if layer.window is not None or fold.lanes <= layer.out.shape[2]:
        return fold.word
    return "row" if fold.lanes == word_values(layer.out.shape, "row") else "image"


def port_folds(layer: LoweredLayer, port: int) -> list[Fold]:
    """Words of the ends of a network: an input's hold any number of values that divides an image's,
    a head's a byte or the whole answer."""
    values = prod(layer.out.shape)
    if isinstance(layer.op, Input):
        counts = divisors(values, max(1, port // BYTE))
    else:
        answer = values * -(-layer.out.bits // BYTE) * BYTE + BYTE
        counts = [1, values] if values > 1 and answer <= port else [1]
    return [Fold(lanes=n, out_lanes=n) for n in counts]


def wired_words(layer: LoweredLayer, least: int) -> list[Word]:
    """What words of a wired layer may hold: a pixel, and more where an image of pixels would take
    more than `least` cycles; all of an image in front of a single window, which waits for it."""
    rows, columns, _ = layer.sources[0].shape
    if layer.window is not None and layer.window.out == (1, 1):
        return ["image"]
    words: list[Word] = [] if layer.blocks or layer.window is None else ["pixel"]
    if rows * columns > least and columns > 1:
        words.append("row")
    if rows * columns > least and rows > max(least, 1):
        words.append("image")
    return words


def wired_folds(layer: LoweredLayer, device: Device, least: int) -> list[Fold]:
    """Foldings whose weights are wired, and joins of words as wide; none where the graph would be
    too large. least: cycles of an image at the port."""
    words = wired_words(layer, least)
    if layer.window is not None and lane_cost(layer.kind).graph is None:
        return []
    if layer.window is None:
        counts = [word_values(layer.out.shape, word) for word in words]
        return [Fold(pe=n, lanes=n, out_lanes=n) for n in counts]
    few = [word for word in words if connections(layer, word) <= WIRED]
    return [fold for word in few for fold in _wired_folds(layer, word, device)]


def _wired_folds(layer: LoweredLayer, word: Word, device: Device) -> list[Fold]:
    """With each place where the row buffer may live, where there is one."""
    fold = wired_fold(layer, word)
    g = geometry(layer, fold)
    if g.in_order:
        return [fold]
    depth, bits = np.array([g.depth]), np.array([fold.lanes * layer.sources[0].bits])
    styles = _line_buffer_styles(depth, bits, np.array([fold.taps]), device)[0]
    named = zip(LINE_BUFFERS, styles, strict=True)
    return [replace(fold, line_buffer=style) for style, offered in named if offered]


def _folded_offers(layer: LoweredLayer, device: Device) -> FoldArray:
    """Foldings without wired weights, as arrays."""
    if isinstance(layer.op, Input | Head):
        return FoldArray.of([Fold()])
    both: tuple[Multiplier, ...] = ("dsp", "lut")
    requants = both if layer.requantise and device.dsp else both[1:]
    if not isinstance(layer.op, Add) and not layer.blocks:
        shape = layer_shape(layer).shape
        return _engine_offers(shape, device, multipliers_of(shape, device), requants)
    return _word_offers(layer, device, requants)


def multipliers_of(shape: LayerShape, device: Device) -> tuple[ProductStyle, ...]:
    """What may form the products of a layer, LUTs last."""
    if not element(shape.kind).MULTIPLIES or not device.dsp:
        return ("lut",)
    packs = element(shape.kind).PACKS and not shape.depthwise
    if packs and device.packs(shape.x_bits, shape.w_bits, shape.symmetric):
        return "dsp", "packed", "lut"
    return "dsp", "lut"


def _word_offers(
    layer: LoweredLayer, device: Device, requants: tuple[Multiplier, ...]
) -> FoldArray:
    """Of a pool or a join, which takes words as they come.

    A pool reads and writes its memory in one cycle, for which distributed RAM is far faster.
    """
    lanes = np.array(divisors(layer.out.shape[2], POOLED))
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
        np.full(len(n), False),
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
    shape: LayerShape, device: Device, multipliers: tuple[ProductStyle, ...],
    requants: tuple[Multiplier, ...],
) -> FoldArray:  # fmt: skip
    """All shapes, with each choice of what multiplies and of where memories live."""
    offered = _shapes(shape)
    depth = np.array([walk(shape.window, shape.depthwise, n, 1).depth for n in offered.lanes])
    buffers = _line_buffer_styles(depth, offered.lanes * shape.x_bits, offered.taps, device)
    roms = _rom_styles(shape, offered.pe * simd(shape, offered), device)
    whole = offered.pe[:, None] % [sums_of(by) for by in multipliers] == 0
    choices = whole[:, :, None, None, None] & np.ones((1, 1, len(requants), 1, 1), dtype=bool)
    feasible = choices & roms[:, None, None, :, None] & buffers[:, None, None, None, :]
    i, multiplier, requant, rom, buffer = np.nonzero(feasible)
    return FoldArray(
        offered.pe[i], offered.lanes[i], offered.taps[i], offered.out_lanes[i],
        np.array(multipliers)[multiplier], np.array(requants)[requant],
        np.array(ROMS)[rom], np.array(LINE_BUFFERS)[buffer],
        np.zeros_like(i), np.full(len(i), "pixel"),
        np.full(len(i), staged(shape, device)),
    )  # fmt: skip


def staged(shape: LayerShape, device: Device) -> bool:
    """Whether lanes of a layer have a register within, on a device."""
    return device.staged and element(shape.kind).STAGES and shape.w_bits >= STAGED


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
