"""The parts of a layer engine, counted for all its foldings at once: see gen.cost.features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gen.cost import adder_tree
from gen.cost.lanes import lane_cost
from gen.cost.requant_features import hardware_multipliers
from gen.plan.fold_array import Array, FeatureCounts, FoldArray, bit_length, tabled, where
from gen.plan.layer_shape import LayerShape, pads, placed, walk
from gen.support.devices import Device
from rtl.block_ram import part_rows
from rtl.layer import sums_depth

Terms = tuple[adder_tree.Width, ...]


def engine(shape: LayerShape, f: FoldArray, device: Device, *, raw: bool) -> FeatureCounts:
    """All of a layer engine but its requantiser. raw: there is none."""
    bill = elements(shape, f, device)
    for part in (reader(shape, f, device), rom(shape, f, device), end(shape, f, raw=raw)):
        bill.add(part)
    return bill


def around(shape: LayerShape, f: FoldArray, device: Device) -> FeatureCounts:
    """Of a layer engine whose sums come from a graph: what reads its windows, and its outlet."""
    return reader(shape, f, device).add(end(shape, f, raw=True))


def simd(shape: LayerShape, f: FoldArray) -> Array:
    """Inputs in parallel."""
    lanes: Array = f.taps if shape.depthwise else f.taps * f.lanes
    return lanes


def elements(shape: LayerShape, f: FoldArray, device: Device) -> FeatureCounts:
    """Terms, adder trees and accumulators of all processing elements."""
    clamped = shape.clamps(f)
    if clamped.any():
        narrow = _logic(replace(shape, x_bits=shape.lane_bits), f, f.pe)
        narrow.add(_excess(shape, f))
        return narrow if clamped.all() else where(clamped, narrow, _logic(shape, f, f.pe))
    blocks = f.multiplier != "lut"
    if not blocks.any():
        return _logic(shape, f, f.pe)
    made = _blocks(shape, f, f.pe - f.logic_pe, device)
    if f.logic_pe.any():
        made.add(_divided(shape, f))
    return made if blocks.all() else where(blocks, made, _logic(shape, f, f.pe))


def _divided(shape: LayerShape, f: FoldArray) -> FeatureCounts:
    """The PE made of LUTs beside others on multipliers, and what makes up for their latencies."""
    depths = [
        sums_depth(
            shape.kind, simd=1, w_bits=shape.w_bits, multiplier=by, logic_pe=0, registered=False
        )
        for by in ("dsp", "lut")
    ]
    waiting = depths[0] - depths[1] - (f.weights == "parts")
    late = np.where(waiting > 0, f.logic_pe, (f.pe - f.logic_pe) * (f.logic_pe > 0))
    bill = _logic(shape, f, f.logic_pe)
    return bill.add(lone=np.abs(waiting) * late * shape.acc)


def _blocks(shape: LayerShape, f: FoldArray, pe: Array, device: Device) -> FeatureCounts:
    """So many elements that leave products to synthesis; which takes LUTs for narrow ones."""
    x, w = shape.x_bits, shape.w_bits
    terms, inputs = adder_tree.lane(shape.kind, x, shape.x_signed, w, True), simd(shape, f)
    lanes, per_lane = pe * inputs, hardware_multipliers(device, x, w)
    operands = _operands(shape, f, pe)
    products = lanes * adder_tree.held(terms, shape.acc)
    packed = f.multiplier == "packed"
    sharing = np.where(packed, 2, device.shared(x, w))
    bill = FeatureCounts(dsp=-(-lanes // sharing) * per_lane)
    if per_lane:
        bill.add(dsp_reg=operands + products)
    else:
        feature = lane_cost(shape.kind).feature(w)
        bill.add({feature: lanes * x * w}, lone=operands, register=products)
    # the carry of each upper product is one more bit of a chain; a sign for the least weight
    borrows = packed * lanes // 2
    bill.add({lane_cost(shape.kind).tree: borrows}, inside=(not shape.symmetric) * 2 * borrows)
    return bill.add(_sums(shape, f, pe, *_trees(shape, terms, inputs)))


def _logic(shape: LayerShape, f: FoldArray, pe: Array) -> FeatureCounts:
    """So many elements made of LUTs: of constants, where each lane has one weight only."""
    x, w, lane = shape.x_bits, shape.w_bits, lane_cost(shape.kind)
    terms = adder_tree.lane(shape.kind, x, shape.x_signed, w, False, shape.w_signed)
    inputs = simd(shape, f)
    lanes = pe * inputs
    cells = lanes * lane.cells(x, w, terms)
    kept = lanes * (adder_tree.held(terms, shape.acc) + f.staged * lane.within(x, w))
    sums = _trees(shape, terms, inputs)
    if (column := lane.constant_bits(w)) is not None:
        depth = shape.weights // (f.pe * inputs)
        # elements with the same inputs
        readers = np.ones_like(pe) if shape.depthwise else np.maximum(pe, 1)
        uses = len(terms) * readers
        once = adder_tree.distinct(uses, column, depth) / uses
        wired = lanes // readers * adder_tree.wired(x, uses, shape.alive)
        cells = np.where(depth > 1, np.rint(once * cells), 0)
        kept = np.rint(np.where(depth > 1, once * kept, wired))
        sums = np.rint((1 - (1 - shape.alive) ** depth) * sums)
    held = (f.weights == "parts") * _operands(shape, f, pe)
    bill = FeatureCounts({lane.feature(w): cells, "register": kept, "lone": held})
    return bill.add(_sums(shape, f, pe, *sums))


def _excess(shape: LayerShape, f: FoldArray) -> FeatureCounts:
    """What clamps the inputs of a layer, and takes the sum of what that leaves off its sums."""
    x, inputs = shape.x_bits, simd(shape, f)
    terms = adder_tree.lane("sum", x, False, 0, False)
    adders, chains, registers = _trees(shape, terms, inputs)
    bill = FeatureCounts(clip=inputs * (shape.lane_bits + x), chains=chains + 1 + f.out_lanes)
    bill.add(tree_sum=adders + shape.acc + f.out_lanes * shape.acc)
    held = (f.pe > f.out_lanes) * shape.acc
    return bill.add(
        register=inputs * (x + 1) + registers + shape.acc + f.out_lanes * shape.acc,
        lone=shape.acc + held,
    )


def _operands(shape: LayerShape, f: FoldArray, pe: Array) -> Array:
    """Bits of the inputs and weights of all lanes of so many elements."""
    inputs = simd(shape, f)
    bits: Array = inputs * (shape.x_bits * (pe if shape.depthwise else 1) + pe * shape.w_bits)
    return bits


def _trees(shape: LayerShape, terms: Terms, inputs: Array) -> Array:
    """Bits of adders, chains and registers of the adder tree of one element."""

    def made(n: int) -> Sequence[int]:
        tree = adder_tree.tree(terms * n, shape.acc)
        return tree.adders, tree.chains, tree.registers

    return tabled(made, inputs)


def _sums(
    shape: LayerShape, f: FoldArray, pe: Array, adders: Array, chains: Array, registers: Array
) -> FeatureCounts:
    """Trees and accumulators of so many elements."""
    lane = lane_cost(shape.kind)
    own = simd(shape, f) * lane.own_chains
    bill = FeatureCounts({lane.tree: pe * (adders + shape.acc)})
    return bill.add(
        chains=pe * (chains + 1 + own),
        register=pe * (registers + shape.acc),
        lone=pe * shape.acc,
    )


def reader(shape: LayerShape, f: FoldArray, device: Device) -> FeatureCounts:
    """Row buffer, its addresses, and the counters that control the engine; of windows that are
    words a register of one."""

    def ordered(lanes: int, taps: int, pe: int) -> Sequence[int]:
        repeats = 1 if shape.depthwise else shape.channels // pe
        g = placed(shape.window, lanes=lanes, taps=taps, repeats=repeats, depthwise=shape.depthwise)
        return [g.in_order]

    direct = tabled(ordered, f.lanes, f.taps, f.pe)[0].astype(bool)
    alone = FeatureCounts(engine=np.ones_like(f.pe), lone=f.lanes * shape.x_bits, register=1)
    if direct.all():
        return alone
    buffered = _buffered(shape, f, device)
    return where(direct, alone, buffered) if direct.any() else buffered


def _buffered(shape: LayerShape, f: FoldArray, device: Device) -> FeatureCounts:
    spot, (kh, kw) = shape.window, shape.window.kernel

    def walked(lanes: int, taps: int) -> Sequence[int]:
        steps = walk(spot, shape.depthwise, lanes, taps)
        return steps.depth, steps.image, steps.loops, steps.count

    depth, image, loops, count = tabled(walked, f.lanes, f.taps)
    if not shape.depthwise:
        repeats = shape.channels // f.pe
        loops, count = loops + (repeats > 1), count + bit_length(repeats - 1)
    at, flow = bit_length(depth - 1), bit_length(depth + 2 * image) + 1
    fetches = f.line_buffer == "block"
    bill = FeatureCounts(address=f.taps * at, flow=flow, counter=count, engine=1)
    bill.add(register=2 * at + count + 2 * loops + 4 * flow + 4, lone=at + 3 * (2 + fetches))
    if pads(spot):
        bill.add(inside=f.taps + kh + kw, register=kh + kw + f.taps)
        bill.add(lone=f.taps * fetches)
    # the word fetched, and the tap: zero outside of the image
    word = f.lanes * shape.x_bits
    kept = f.taps * word
    bill.add(bram_reg=kept * fetches, lone=kept * ~fetches)
    bill.add(register=kept if pads(spot) else kept * ~fetches)
    return bill.add(line_buffer(depth, word, f.taps, f.line_buffer, device))


def line_buffer(
    depth: Array, bits: Array, copies: Array, style: Array, device: Device
) -> FeatureCounts:
    """Memories of activations: of `depth` words of `bits` bits, so many copies."""
    none = (depth == 1) | (bits == 0)
    block = ~none & (style == "block")
    distributed = ~none & (style == "distributed")
    logic = ~(none | block | distributed)
    sixteens = -(-depth // 16)
    return FeatureCounts(
        ram_ff=np.where(none, bits, logic * copies * depth * bits),
        ram16x4=distributed * copies * sixteens * -(-bits // 4),
        ram_mux=distributed * copies * bits * (sixteens - 1),
        bram=copies * _brams(device, depth, bits, block),
    )


def _brams(device: Device, depth: Array, bits: Array, block: Array) -> Array:
    """Blocks of RAM of the memories of the mask `block`."""
    blocks = np.zeros_like(bits)
    if block.any():
        size = depth[block], bits[block]
        blocks[block] = tabled(lambda *one: [device.brams(*one)], *size)[0]
    return blocks


def rom(shape: LayerShape, f: FoldArray, device: Device) -> FeatureCounts:
    """Weight memory, a weight of each lane in a word, and its counter."""
    lanes = f.pe * simd(shape, f)
    depth, bits = shape.weights // lanes, lanes * shape.w_bits
    some, logic = depth > 1, f.weights == "logic"
    at = bit_length(np.maximum(depth - 1, 0))
    block, logic = some & ~logic, some & logic
    unlike = adder_tree.distinct(bits, 1, np.maximum(depth, 1))
    rows = np.where(f.weights == "parts", memory_rows(depth, bits), depth)
    parts = np.maximum(1, -(-depth // np.maximum(rows, 1)))
    return FeatureCounts(
        counter=at,
        register=some * (at + 3) + logic * unlike + 2 * bit_length(parts - 1),
        bram_reg=block * parts * bits,
        ram_mux=block * (parts - 1) * bits,
        rom=np.rint(logic * unlike * np.maximum(1, depth / 16)),
        bram=_brams(device, rows, parts * bits, block),
    )


def memory_rows(depth: Array, bits: Array) -> Array:
    """Rows of a memory in parts; see `rtl.block_ram.part_rows`."""
    rows: Array = tabled(lambda *one: [min(one[0], part_rows(*one))], depth, bits)[0]
    return rows


def end(shape: LayerShape, f: FoldArray, *, raw: bool) -> FeatureCounts:
    """Finished sums on their way to the outlet, and the outlet."""
    waits, out = f.pe > f.out_lanes, f.out_lanes * shape.out_bits
    drain = waits * f.pe * shape.acc
    bill = FeatureCounts(drain=drain, register=drain + waits * (f.pe // f.out_lanes), outlet=out)
    return bill.add(register=out + 3, lone=0 if raw else out)
