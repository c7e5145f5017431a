"""What a requantiser is made of, counted; part of gen.cost.features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil

import numpy as np

from gen.cost import adder_tree
from gen.plan.fold_array import FeatureCounts
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Multiplier
from gen.plan.stored import folded_requantise
from gen.support.devices import Device
from model.spec import Requantise, width
from rtl.digits import live_digits
from rtl.requantise import Coefficients
from rtl.scale import Multiplication, Partials, Shifts

BLOCK = 64
"""Words beyond which rtl.requantise keeps its table in a block of RAM."""
MULTIPLIER_LEAST = {"ecp5": (0, 0), "gowin": (0, 4), "ice40": (11, 0)}
"""Least widths of product and operands for which synthesis takes a hardware multiplier; on iCE40 of
a part of a product that is wider than one, as others are mapped by gen.flow.synth.NARROW."""


def hardware_multipliers(device: Device, a: int, b: int) -> int:
    """Units of `Device.dsp` that synthesis takes for a product of a by b bits; 0 when it prefers
    LUTs."""
    (least, narrowest), (most_a, most_b) = MULTIPLIER_LEAST[device.family], device.multiplier
    if device.family == "ice40" and a <= most_a and b <= most_b:
        return device.multipliers(a, b)
    pairs = product(_split(a, most_a), _split(b, most_b))
    taken = [(p, q) for p, q in pairs if p + q >= least and min(p, q) >= narrowest]
    return sum(device.multipliers(p, q) for p, q in taken)


def _split(bits: int, most: int) -> list[int]:
    """Widths of the parts of a signed operand; all but the top one have a zero for a sign."""
    lower = max(0, ceil((bits - most) / (most - 1)))
    return [most] * lower + [bits - lower * (most - 1)]


@dataclass(frozen=True)
class Scale:
    """The products of a requantiser. cells: bits of LUTs of a lane. dsp: multipliers of a lane."""

    terms: tuple[adder_tree.Width, ...]
    cells: int
    wired: bool
    factors: tuple[tuple[int, int], ...] = ()
    """Operand widths of the multiplications of a lane, if any."""
    constants: tuple[tuple[int, int], ...] = ()
    """Of all lanes, where factors are constants: synthesis shifts by their powers of two."""
    fixed: bool = False
    held: int | None = None
    """Flip-flops of a lane's terms, where synthesis keeps fewer than they have bits."""
    alive: float = 1.0
    """Share of the terms that are left of constant factors."""


class Requantisers:
    """All requantisers that a layer may get, by lanes and by what multiplies."""

    def __init__(self, node: Requantise, x_bits: int, out_bits: int) -> None:
        self.multipliers, self.offsets = node.multiplier.tolist(), node.offset.tolist()
        self.shift, self.x_bits, self.out_bits = node.shift, x_bits, out_bits
        self._units: dict[tuple[int, Multiplier], Coefficients] = {}

    def unit(self, lanes: int, multiplier: Multiplier) -> Coefficients:
        """The constants of one, and what they ask for."""
        unit = self._units.get((lanes, multiplier))
        if unit is None:
            times = max(1, lanes // len(self.multipliers))  # windows of a word
            unit = self._units[lanes, multiplier] = Coefficients(
                lanes=lanes, x_bits=self.x_bits, multiplier=multiplier,
                multipliers=self.multipliers * times, offsets=self.offsets * times,
                shift=self.shift,
            )  # fmt: skip
        return unit

    def part(self, lanes: int, multiplier: Multiplier, device: Device) -> FeatureCounts:
        """The bill of `lanes` lanes."""
        return unit_features(self.unit(lanes, multiplier), self.out_bits, device)


def unit_features(unit: Coefficients, out_bits: int, device: Device) -> FeatureCounts:
    """Counts of one requantiser. out_bits: of a result."""
    offset, stored = unit.constants["offset"], unit.stored
    fixed = not stored.keys() & unit.scaling.fields.keys()
    return _part(
        unit.lanes, unit.x_bits, out_bits, unit.table_bits, unit.depth,
        _scale(unit, fixed), _ends(min(offset), max(offset)), "offset" in stored,
        unit.shift, device,
    )  # fmt: skip


@lru_cache(256)
def requantisers(layer: LoweredLayer) -> Requantisers | None:
    """Those of a layer that has any."""
    node = folded_requantise(layer)
    return None if node is None else Requantisers(node, layer.sum_bits, layer.out.bits)


def _ends(lo: int, hi: int) -> tuple[int, int]:
    """Rounded outward to powers of two, which no width depends on; so that few parts differ."""
    return -(1 << width(lo, True)) >> 1 if lo < 0 else 0, (1 << max(0, hi).bit_length()) - 1


def _scale(unit: Coefficients, fixed: bool) -> Scale:
    scaling, bits, lanes = unit.scaling, unit.x_bits, unit.lanes
    end = 1 << (bits - 1)
    if isinstance(scaling, Shifts):
        terms = tuple(
            adder_tree.Width(
                -end << most, (end << most) - 1, base, any(scaling.fields[f"negative{k}"])
            )
            for k, (base, most) in enumerate(zip(scaling.base, scaling.most, strict=True))
        )
        cells = sum((bits + most) * (1 + most.bit_length()) for most in scaling.most)
        return Scale(terms, 0, True, held=0) if fixed else Scale(terms, cells, False)
    if isinstance(scaling, Partials):
        terms = adder_tree.partials((-end, end - 1), scaling.bits)
        if fixed:
            alive = live_digits(np.array(unit.multipliers[:lanes]), scaling.bits)
            held = round(adder_tree.wired(bits, len(terms), alive))
            return Scale(terms, 0, False, held=held, alive=alive)
        return Scale(terms, adder_tree.choices(terms, scaling.bits), False)
    assert isinstance(scaling, Multiplication)
    negative = min(unit.multipliers) < 0
    factor = max(width(f, negative) for f in unit.multipliers)
    odd = [abs(f) // (f & -f) for f in unit.multipliers[:lanes] if f] if fixed else []
    low, top = scaling.PART, bits - scaling.PART * (scaling.count - 1)
    sizes = [low + 1] * (scaling.count - 1) + [top]
    ends = [(0, (1 << low) - 1)] * (scaling.count - 1) + [(-(1 << top - 1), (1 << top - 1) - 1)]
    return Scale(
        tuple(_product(e, 1 << (factor - 1), low * k) for k, e in enumerate(ends)),
        0, False, tuple((size, factor) for size in sizes),
        tuple((size, width(f, negative)) for f in odd for size in sizes if f > 1), fixed,
    )  # fmt: skip


def _product(x: tuple[int, int], end: int, scale: int) -> adder_tree.Width:
    ends = [p * q for p in x for q in (-end, end - 1)]
    return adder_tree.Width(min(ends), max(ends), scale)


@lru_cache(1 << 15)
def _part(
    lanes: int,
    x_bits: int,
    out_bits: int,
    table: int,
    depth: int,
    scale: Scale,
    offset: tuple[int, int],
    moving: bool,
    shift: int,
    device: Device,
) -> FeatureCounts:
    tree = adder_tree.tree((adder_tree.Width(*offset), *scale.terms), adder_tree.ANY)
    first = adder_tree.held(scale.terms, adder_tree.ANY) if scale.held is None else scale.held
    kept = round(scale.alive * tree.registers)
    pairs = scale.constants if scale.fixed else scale.factors * lanes
    dsp = sum(hardware_multipliers(device, a, b) for a, b in pairs)
    bill = FeatureCounts(
        dsp=dsp,
        lane_requant=lanes * scale.cells,
        tree_requant=round(lanes * scale.alive * tree.adders),
        chains=round(lanes * scale.alive * tree.chains),
        clip=lanes * out_bits,
        register=lanes * (max(0, kept - min(shift, tree.root.bits(adder_tree.ANY))) + out_bits),
        lone=3,
    )
    bill.add({"dsp_reg" if dsp else "register": lanes * first})
    if moving and not scale.wired:
        bill.add(register=lanes * adder_tree.Width(*offset).bits(adder_tree.ANY))
    if not table:
        return bill
    at = (depth - 1).bit_length()
    bill.add({"dsp_reg" if dsp else "lone": lanes * x_bits}, counter=at, register=at)
    if depth > BLOCK:
        return bill.add(bram=device.brams(depth, table))
    unlike = int(adder_tree.distinct(table, 1, depth))
    return bill.add(table=round(unlike * max(1, depth / 16)), register=unlike)
