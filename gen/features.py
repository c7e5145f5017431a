# amaranth: UnusedElaboratable=no
"""What a layer is made of, counted: adder bits, registers, memories, multipliers.

Each part of a layer depends on a few fields of its folding and is remembered by these, so that
all foldings of a layer are described in milliseconds. Features have prices, see gen.cost;
multipliers and blocks of RAM are counted exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, gcd
from typing import Any

import numpy as np

from gen import trees
from gen.devices import Device
from gen.lower import Layer
from gen.plan import Cost, Fold
from gen.requant_features import Requantisers, hardware_multipliers
from model.spec import Add, Head, Input, Window
from rtl.geometry import Geometry

Features = Counter[str]
Part = tuple[Features, Cost]
Call = tuple[Any, ...]
"""What makes a part, and those fields of a folding that it depends on."""
MEANING = {
    "register": "flip-flops behind logic",
    "lone": "flip-flops with no logic before them",
    "dsp_reg": "flip-flops around hardware multipliers, which may have them inside",
    "bram_reg": "flip-flops behind blocks of RAM, which may have them inside",
    "lane_mult": "bits of the partial products of mult",
    "lane_shift": "bits of the multiplexer stages of shift",
    "lane_add": "bits of the distances of add",
    "lane_requant": "bits of the terms of requantisers",
    "tree_mult": "bits of the adders of mult",
    "tree_shift": "bits of the adders of shift",
    "tree_add": "bits of the adder-subtractors of add",
    "tree_max": "bits of comparisons",
    "tree_sum": "bits of the adders of pooling and of residual joins",
    "tree_requant": "bits of the adders of requantisers",
    "chains": "carry chains of all these adders",
    "clip": "bits of the outputs of requantisers",
    "drain": "bits of finished sums on their way out",
    "outlet": "bits of output words",
    "convert": "bits of words made narrower",
    "ram16x4": "memories of 16 × 4 bits made of LUTs",
    "ram_mux": "bits chosen among these",
    "ram_ff": "bits of memories made of flip-flops",
    "rom": "bits of weight memories made of LUTs, in sixteens",
    "table": "bits of the tables of requantisers, in sixteens",
    "address": "bits of addresses of row buffers, and of those of parallel taps",
    "counter": "bits of loop counters",
    "flow": "bits of counters of words that came and words that are free",
    "inside": "taps that may lie outside of the image, and bits of its masks",
    "engine": "layer engines",
    "pool": "block pools",
    "head": "heads",
    "base": "a network, see gen.clock",
    "use": "share of the device's LUTs in use",
    "pool_ram": "1 with a pool that keeps partial results in a block of RAM",
}
"""Every feature there is, of an accelerator."""


@dataclass(frozen=True)
class Facts:
    """All of a layer with a window that its cost depends on, but for the requantiser."""

    kind: str
    depthwise: bool
    window: Window
    x_bits: int
    x_signed: bool
    w_bits: int
    weights: int
    acc: int
    channels: int
    out_bits: int
    alive: float
    """Share of the weights' digits that are not zero: constant zeros take no hardware."""

    @property
    def shape(self) -> Facts:
        """Those that the foldings on offer depend on, with the others left out."""
        return replace(self, acc=0, out_bits=0, alive=1.0)

    def simd(self, fold: Fold) -> int:
        return fold.parallel * (1 if self.depthwise else fold.lanes)


@lru_cache(256)
def facts_of(layer: Layer) -> Facts:
    """Facts of a layer with a window."""
    place, x = layer.window, layer.sources[0]
    assert place is not None
    weights: Any = getattr(layer.op, "weights", None)
    bits, alive = getattr(layer.op, "bits", 0), 1.0
    if weights is not None:
        if layer.kind == "mult":
            alive = round(trees.alive(weights, bits), 1)
        elif layer.kind == "shift":
            alive = round(np.count_nonzero(weights) / weights.size, 1)
    return Facts(
        layer.kind, layer.depthwise, place, x.bits, x.signed, bits,
        0 if weights is None else weights.size,
        layer.sums.bits if layer.blocks else layer.sum_bits, layer.sums.shape[2], layer.out.bits,
        alive,
    )  # fmt: skip


@lru_cache(256)
def _remembered(facts: Facts, device: Device) -> dict[Any, Part]:
    """Parts of layers with these facts, by what makes them and from which fields of a folding."""
    return {}


class Description:
    """A layer on a device: features with a price, and what is counted, of each of its foldings."""

    def __init__(self, layer: Layer, device: Device) -> None:
        self.layer, self.device = layer, device
        self.facts = None if layer.window is None else facts_of(layer)
        self.known: dict[Callable[..., Part], dict[Any, Part]] = {}
        if self.facts:
            full, coarse = (_remembered(facts, device) for facts in (self.facts, self.facts.shape))
            self.known = dict.fromkeys((_elements, _end, _pool, _partial), full)
            self.known |= dict.fromkeys((_reader, _rom), coarse)
        self.scaled = None
        if layer.requantise is not None:
            self.scaled = Requantisers(layer.requantise, layer.sum_bits, layer.out.bits)
        self.own: dict[Any, Part] = {}

    def calls(self, fold: Fold) -> tuple[Call, ...]:
        """The parts of a folding; equal ones of different foldings are equal."""
        layer, scaled = self.layer, self.scaled is not None
        if isinstance(layer.op, Input):
            return ()
        if isinstance(layer.op, Head):
            return ((_head, layer.out.bits),)
        if isinstance(layer.op, Add):
            return *_scaling(fold, scaled), (_join, fold.lanes, layer.sum_bits, layer.out.bits)
        assert self.facts is not None
        if layer.blocks:
            ring = (_partial, fold.lanes, layer.out.shape[1], fold.ring)
            return *_scaling(fold, scaled), (_pool, fold.lanes, not scaled), ring
        return engine_calls(self.facts, fold, scaled)

    def part(self, call: Call) -> Part:
        """One part; made once."""
        make, *of = call
        known = self.known.get(make, self.own)
        found = known.get(call)
        if found is None:
            found = known[call] = self._made(make, of)
        return found

    def _made(self, make: Callable[..., Part], of: Sequence[Any]) -> Part:
        if make is Requantisers.part:
            return make(self.scaled, *of, self.device)
        return make(*of) if make in (_head, _join) else make(self.facts, *of, self.device)

    def __call__(self, fold: Fold) -> Part:
        """All parts together."""
        features: Features = Counter()
        exact = Cost()
        for more, counted in map(self.part, self.calls(fold)):
            features.update(more)
            exact += counted
        return features, exact


def _scaling(fold: Fold, scaled: bool) -> tuple[Call, ...]:
    return ((Requantisers.part, fold.drain, fold.requant),) if scaled else ()


def engine_calls(facts: Facts, fold: Fold, scaled: bool) -> tuple[Call, ...]:
    """The parts of a layer engine, with a requantiser if `scaled`."""
    simd = facts.simd(fold)
    return (
        *_scaling(fold, scaled),
        (_elements, fold.pe, simd, fold.multiplier),
        (_reader, fold.lanes, fold.parallel, fold.pe, fold.ring),
        (_rom, fold.pe * simd, fold.weights),
        (_end, fold.pe, fold.drain, not scaled),
    )


def describe(layer: Layer, fold: Fold, device: Device) -> Part:
    """Features of one folding with a price, and what is counted."""
    return Description(layer, device)(fold)


@lru_cache(64)
def _head(bits: int) -> Part:
    return Counter(head=1, tree_max=bits, register=bits + 8, chains=1), Cost()


def converters(bits: int, have: int, want: int) -> Features:
    """Of the converters from words of `have` values of `bits` bits to words of `want`."""
    common = gcd(have, want)
    found: Features = Counter()
    if have > common:
        found += Counter(convert=have * bits, register=have * bits + have // common)
    if want > common:
        found += Counter(lone=want * bits, register=want // common + 1, counter=want // common)
    return found


def _elements(facts: Facts, pe: int, simd: int, multiplier: str, device: Device) -> Part:
    """Terms, adder trees and accumulators of all processing elements."""
    x, w, kind = facts.x_bits, facts.w_bits, facts.kind
    per_lane = hardware_multipliers(device, x, w) if kind == "mult" and multiplier == "dsp" else 0
    terms = trees.lane(kind, x, facts.x_signed, w, multiplier == "dsp")
    tree = trees.tree(terms * simd, facts.acc)
    features: Features = Counter()
    first = trees.held(terms, facts.acc) - (kind == "add")
    if kind == "mult" and multiplier == "dsp":
        shared = simd * x * (pe if facts.depthwise else 1)
        features["dsp_reg" if per_lane else "lone"] = shared + pe * simd * w
        features["dsp_reg" if per_lane else "register"] += pe * simd * first
        features["lane_mult"] = 0 if per_lane else pe * simd * x * w
    else:
        features[f"lane_{kind}"] = pe * simd * _lane_cells(kind, x, w, terms)
        features["register"] = pe * simd * first
    adders, chains, registers = tree.adders, tree.chains, tree.registers
    depth = facts.weights // (pe * simd)
    if kind in ("mult", "shift") and multiplier == "lut":
        many = len(terms) * (1 if facts.depthwise else pe)
        once = trees.distinct(many, 2 if kind == "mult" else w, depth) / many
        features[f"lane_{kind}"] = round(once * features[f"lane_{kind}"]) if depth > 1 else 0
        features["register"] = round(once * features["register"])
        left = 1 - (1 - facts.alive) ** depth
        adders, chains = round(left * adders), round(left * chains)
        registers = round(left * registers)
    features[f"tree_{kind}"] = pe * (adders + facts.acc)
    features["chains"] = pe * (chains + 1 + simd * (kind == "add"))
    features["register"] += pe * (registers + facts.acc)
    features["lone"] += pe * facts.acc
    return features, Cost(dsp=pe * simd * per_lane)


def _lane_cells(kind: str, x: int, w: int, terms: tuple[trees.Width, ...]) -> int:
    """LUTs of a lane, one a bit: of multiplexer stages, partial products, or an adder."""
    if kind == "shift":
        far = 1 << (w - 1) >> 1
        return sum(x + (far << 1) - (far >> k) for k in range(w - 1))
    if kind == "mult":
        return sum(t.bits(trees.ANY) for t in terms)
    return max(x, w) + 1 if kind == "add" else 0


@lru_cache(1 << 12)
def place(facts: Facts, lanes: int, parallel: int, pe: int) -> Geometry:
    """As gen.units.geometry, remembered."""
    spot = facts.window
    h, w, c = spot.source
    return Geometry(
        height=h, width=w, channels=c, kernel=spot.kernel, stride=spot.stride, pad=spot.pad,
        out=spot.out, lanes=lanes, repeats=1 if facts.depthwise else facts.channels // pe,
        parallel=parallel, depthwise=facts.depthwise,
    )  # fmt: skip


@lru_cache(1 << 12)
def ring_depth(spot: Window, lanes: int) -> int:
    """Words of a row buffer."""
    h, w, c = spot.source
    return Geometry(
        height=h, width=w, channels=c, kernel=spot.kernel, stride=spot.stride, pad=spot.pad,
        out=spot.out, lanes=lanes,
    ).depth  # fmt: skip


@lru_cache(1 << 10)
def _pads(spot: Window) -> bool:
    """A window reaches beyond the image, whatever the folding."""
    h, w, _ = spot.source
    return Geometry(
        height=h, width=w, channels=1, kernel=spot.kernel, stride=spot.stride, pad=spot.pad,
        out=spot.out,
    ).pads  # fmt: skip


def _reader(facts: Facts, lanes: int, parallel: int, pe: int, style: str, device: Device) -> Part:
    """Row buffer, its addresses, and the counters that control the engine."""
    g = place(facts, lanes, parallel, pe)
    depth = ring_depth(facts.window, lanes)
    word, at = lanes * facts.x_bits, (depth - 1).bit_length()
    fetches, ring = style == "block", _ring(depth, word, parallel, style, device)
    flow = (depth + 2 * g.image).bit_length() + 1
    loops = [n for n in (*g.out, *g.loops.values()) if n > 1]
    count = sum((n - 1).bit_length() for n in loops)
    features: Features = Counter(
        address=at + (parallel - 1) * at, flow=flow, counter=count, engine=1,
        register=2 * at + count + 2 * len(loops) + 4 * flow + 4, lone=at + 3 * (2 + fetches),
    )  # fmt: skip
    pads = _pads(facts.window)
    if pads:
        features += Counter(inside=parallel + sum(g.kernel), register=sum(g.kernel) + parallel)
        features += Counter(lone=parallel * fetches)
    # the word fetched, and the tap: zero outside of the image
    kept = parallel * word
    if not fetches:
        features += Counter(register=kept, lone=kept)
    elif pads:
        features += Counter(bram_reg=kept, register=kept)
    else:
        features += Counter(bram_reg=kept)
    return features + ring[0], ring[1]


def _ring(depth: int, bits: int, copies: int, style: str, device: Device) -> Part:
    """A memory of activations."""
    if depth == 1 or bits == 0:
        return Counter(ram_ff=bits), Cost()
    if style == "block":
        return Counter(), Cost(bram=copies * device.brams(depth, bits))
    if style == "distributed":
        sixteens = ceil(depth / 16)
        cells = copies * sixteens * ceil(bits / 4)
        return Counter(ram16x4=cells, ram_mux=copies * bits * (sixteens - 1)), Cost()
    return Counter(ram_ff=copies * depth * bits), Cost()


def _rom(facts: Facts, lanes: int, style: str, device: Device) -> Part:
    """Weight memory, `lanes` weights a word, and its counter."""
    depth, bits = facts.weights // lanes, lanes * facts.w_bits
    if depth <= 1:
        return Counter(), Cost()
    at = (depth - 1).bit_length()
    features: Features = Counter(counter=at, register=at + 3)
    if style == "block":
        return features + Counter(bram_reg=bits), Cost(bram=device.brams(depth, bits))
    bits = trees.distinct(bits, 1, depth)
    return features + Counter(rom=round(bits * max(1, depth / 16)), register=bits), Cost()


def _end(facts: Facts, pe: int, drain: int, raw: bool, device: Device) -> Part:
    """Finished sums on their way to the outlet, and the outlet."""
    features: Features = Counter()
    if pe > drain:
        features += Counter(drain=pe * facts.acc, register=pe * facts.acc + pe // drain)
    out = drain * facts.out_bits
    features += Counter(outlet=out, register=out + 3)
    if not raw:
        features += Counter(lone=out)
    return features, Cost()


def _join(lanes: int, bits: int, out: int) -> Part:
    """A residual join, with the outlet of its requantiser."""
    wide = lanes * bits
    return Counter(
        tree_sum=wide, chains=lanes, register=wide + lanes * out + 4, outlet=lanes * out,
        lone=lanes * out,
    ), Cost()  # fmt: skip


def _pool(facts: Facts, lanes: int, raw: bool, device: Device) -> Part:
    place_, out = facts.window, lanes * facts.out_bits
    (kh, kw), (h, w, c) = place_.kernel, place_.source
    loops = [n for n in (h, w, c // lanes) if n > 1]
    cells = max(1, place_.out[1] * (c // lanes))
    count = sum((n - 1).bit_length() for n in (*loops, h, w, kh, kw)) + 4 * cells.bit_length()
    wide = lanes * facts.acc
    features: Features = Counter(
        pool=1, counter=count, register=count + 2 * len(loops) + 8 + out, outlet=out, chains=lanes,
    )  # fmt: skip
    features[f"tree_{facts.kind}"] = wide
    features["lone" if raw else "register"] += out if raw else wide + out
    return features, Cost()


def _partial(facts: Facts, lanes: int, columns: int, style: str, device: Device) -> Part:
    """Partial results of a pool: one row of memory, or a register."""
    folds = facts.window.source[2] // lanes
    bits = lanes * facts.acc
    features, exact = _ring(folds * columns, bits, 1, style, device)
    if folds == 1:
        features = features + Counter(register=bits)
    elif style != "block":
        features = features + Counter(lone=bits)
    return features, exact


def ring_size(layer: Layer, fold: Fold) -> tuple[int, int]:
    """Words, and bits of a word, of a layer's row buffer or of its partial pooling results."""
    if layer.window is None:
        return 1, 0
    if not layer.blocks:
        return ring_depth(layer.window, fold.lanes), fold.lanes * layer.sources[0].bits
    cells = layer.sources[0].shape[2] // fold.lanes * layer.out.shape[1]
    return cells, fold.lanes * layer.sums.bits
