# amaranth: UnusedElaboratable=no
"""Predicted cost of a layer on a family of devices: a few physical features with measured prices.

The prices are fitted to measured layers (`gen/prices.json`, made by `python -m gen.characterise`),
so that every figure can be read: so many LUTs for a bit of an accumulator, for a bit of a
multiplexer stage, for a word of memory. Blocks of RAM and hardware multipliers are counted, not
fitted.
"""

from __future__ import annotations

import json
from functools import cache
from math import ceil
from pathlib import Path
from typing import Literal

from gen.devices import Device
from gen.lower import Layer
from gen.plan import Cost, Fold
from gen.units import geometry, requant
from model.spec import Add, Conv, Dense, Head, Input, Window, width
from rtl.requantise import Requantiser
from rtl.scale import Multiplication

Features = dict[str, float]

# least product width for which synthesis takes a hardware multiplier
MULTIPLIER_LEAST = {"ecp5": 0, "gowin": 0, "ice40": 11}


def hardware_multipliers(device: Device, a: int, b: int) -> int:
    """Multipliers that synthesis takes for a product of a by b bits; 0 when it prefers LUTs."""
    if a + b < MULTIPLIER_LEAST[device.family]:
        return 0
    return ceil(a / device.multiplier[0]) * ceil(b / device.multiplier[1])


@cache
def prices(family: str) -> dict[str, dict[str, float]]:
    """Price of one unit of each feature, for `lut` and `ff`."""
    table = json.loads((Path(__file__).parent / "prices.json").read_text())
    found: dict[str, dict[str, float]] = table["families"][family]["prices"]
    return found


def predict(layer: Layer, fold: Fold, device: Device) -> Cost:
    """Cost of a layer, with the converters before it left out."""
    features, exact = describe(layer, fold, device)
    table = prices(device.family)
    return Cost(
        lut=sum(table["lut"].get(k, 0.0) * v for k, v in features.items()),
        ff=sum(table["ff"].get(k, 0.0) * v for k, v in features.items()),
        dsp=exact.dsp,
        bram=exact.bram,
    )


def describe(layer: Layer, fold: Fold, device: Device) -> tuple[Features, Cost]:
    """Features with a price, and what is counted exactly (multipliers, blocks of RAM)."""
    if isinstance(layer.op, Input):
        return {}, Cost()
    if isinstance(layer.op, Head):
        return {"head": 1, "head_bits": layer.out.bits}, Cost()
    features, exact = _requant(layer, fold, device)
    if isinstance(layer.op, Add):
        features |= {"join": fold.lanes * layer.sums.bits, "pipeline": 1}
    elif layer.blocks:
        features |= _pool(layer)
        more, counted = _ring(layer, fold, device, 1)
        features |= more
        exact += counted
    else:
        more, counted = _engine(layer, fold, device)
        features |= more
        exact += counted
    return features, exact


def _requant(layer: Layer, fold: Fold, device: Device) -> tuple[Features, Cost]:
    unit = _requantiser(layer, fold.drain, fold.requant)
    if unit is None:
        return {}, Cost()
    lanes, scaling = fold.drain, unit.scaling
    dsp, luts, bram = 0, scaling.luts(unit.x_bits), 0
    if isinstance(scaling, Multiplication):
        factor = max(width(f, True) for f in unit.multipliers)
        top = unit.x_bits - Multiplication.PART * (scaling.count - 1)
        parts = [Multiplication.PART + 1] * (scaling.count - 1) + [top]
        dsp = lanes * sum(hardware_multipliers(device, part, factor) for part in parts)
    features: Features = {
        "requant": lanes,
        "requant_product": lanes * luts,
        "requant_sum": lanes * scaling.count * (unit.x_bits + 8),
    }
    if unit.stored and unit.table_style == "block":
        bram = device.brams(unit.depth, unit.table_bits)
    else:
        features["requant_table"] = unit.table_bits * max(1, unit.depth / 16)
    return features, Cost(dsp=dsp, bram=bram)


@cache
def _requantiser(layer: Layer, lanes: int, multiplier: Literal["dsp", "lut"]) -> Requantiser | None:
    made = requant(layer, Fold(drain=lanes, requant=multiplier))
    return made.hardware(lanes=lanes, x_bits=layer.sum_bits) if made else None


def _pool(layer: Layer) -> Features:
    place = layer.window
    assert place is not None
    return {
        "pool": 1,
        "pool_bits": layer.sums.bits,
        "counter": sum(max(1, n - 1).bit_length() for n in place.source),
    }


def _engine(layer: Layer, fold: Fold, device: Device) -> tuple[Features, Cost]:
    place, x = layer.window, layer.sources[0]
    assert place is not None
    simd = fold.parallel * (1 if layer.depthwise else fold.lanes)
    w = getattr(layer.op, "bits", 0)
    acc = layer.sum_bits
    features, exact = _lanes(layer.kind, fold, device, simd, x.bits, w)
    features |= {
        "accumulator": fold.pe * acc,
        "pipeline": 1,
        "control": _address_bits(place, fold) * (1 + fold.parallel),
    }
    if fold.pe > fold.drain:
        features["drain"] = fold.pe * acc
    features["tap"] = fold.parallel * fold.lanes * x.bits
    ring_features, ring = _ring(layer, fold, device, fold.parallel)
    rom_features, rom = _rom(layer, fold, w * simd * fold.pe, device)
    return features | ring_features | rom_features, exact + ring + rom


def _lanes(
    kind: str, fold: Fold, device: Device, simd: int, x: int, w: int
) -> tuple[Features, Cost]:
    """The terms and the adder tree of all processing elements."""
    lanes = fold.pe * simd
    term, cells, dsp = x + 1, float(x), 0
    if kind == "mult":
        term, cells = x + w, float(x * w)
        if fold.multiplier == "dsp":
            dsp = lanes * hardware_multipliers(device, x, w)
            cells = 0.0 if dsp else cells
    elif kind == "shift":
        term = x + (1 << (w - 1)) - 2
        cells = float((w - 1) * term)
    elif kind == "add":
        term = max(x, w) + 2
        cells = float(term)
    return {
        f"lane_{kind}": lanes * cells,
        "term": lanes * term,
        f"tree_{kind}": fold.pe * (simd - 1) * (term + 1),
    }, Cost(dsp=dsp)


def _address_bits(place: Window, fold: Fold) -> int:
    h, w, c = place.source
    return (h * w * c // fold.lanes - 1).bit_length()


def _ring(layer: Layer, fold: Fold, device: Device, copies: int) -> tuple[Features, Cost]:
    """Memory of activations."""
    depth, bits = ring_size(layer, fold)
    if depth == 1:
        return {"ram_ff": bits}, Cost()
    if fold.ring == "block":
        return {}, Cost(bram=copies * device.brams(depth, bits))
    if fold.ring == "distributed":
        sixteens = ceil(depth / 16)
        return {
            "ram16x4": copies * sixteens * ceil(bits / 4),
            "ram_mux": copies * bits * (sixteens - 1),
        }, Cost()
    return {"ram_ff": copies * depth * bits}, Cost()


@cache
def ring_size(layer: Layer, fold: Fold) -> tuple[int, int]:
    """Words, and bits of a word, of a layer's row buffer or of its partial pooling results."""
    if layer.window is None:
        return 1, 0
    if not layer.blocks:
        return geometry(layer, fold).depth, fold.lanes * layer.sources[0].bits
    cells = layer.sources[0].shape[2] // fold.lanes * layer.out.shape[1]
    return cells, fold.lanes * layer.sums.bits


def _rom(layer: Layer, fold: Fold, bits: int, device: Device) -> tuple[Features, Cost]:
    op = layer.op
    if not isinstance(op, Conv | Dense):
        return {}, Cost()
    depth = op.weights.size * op.bits // bits
    if depth <= 1:
        return {}, Cost()
    if fold.weights == "block":
        return {}, Cost(bram=device.brams(depth, bits))
    if depth <= 16:
        return {"rom_shallow": bits, "rom_word": bits}, Cost()
    return {"rom": bits * depth / 16, "rom_word": bits}, Cost()
