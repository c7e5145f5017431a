# amaranth: UnusedElaboratable=no
"""Energy of an image by a published table for 45 nm: operations and memory accesses, as built.

Source: M. Horowitz, "Computing's energy problem", ISSCC 2014, with the shift of the shift-and-add
literature (You et al., ShiftAddNet, NeurIPS 2020); in picojoules:

    8 bits: multiply 0.2, add 0.03, shift 0.024    32 bits: 3.1, 0.1, 0.13
    a 64-bit read of SRAM of 8 KB 10, of 32 KB 20, of 1 MB 100

Scaled from the 8-bit column by what the hardware does: a product by both widths (32 bits: 3.2), a
sum by its width (0.12), a shift by width times multiplexer stages, 8 × 3 in the table (0.16); a
memory by the bits of an access and the square root of its size (1 MB: 113), which is that of one
block of RAM where it is made of several. It compares networks, also with the literature; it is no
measurement of an FPGA, which has to come from the board.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod, sqrt

from gen.cost.lanes import lane_cost
from gen.cost.unit_energy import ADD, MULTIPLY, READ, SHIFT, SIZE
from gen.engine.units import geometry
from gen.plan.layer_shape import line_buffer_size
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Fold, Plan
from gen.support.devices import device
from model.kinds import kind
from model.spec import Add, Conv, Dense, Network, width
from rtl.scale import Shifts, choose


@dataclass(frozen=True)
class TableEnergy:
    """nJ an image. mult, add, shift: terms of these kinds and their sums. requantise: scaling.

    weights, activations: accesses of the memories that hold them.
    """

    mult: float = 0.0
    add: float = 0.0
    shift: float = 0.0
    requantise: float = 0.0
    weights: float = 0.0
    activations: float = 0.0

    @property
    def total(self) -> float:
        return sum(self.as_dict().values())

    def as_dict(self) -> dict[str, float]:
        """nJ by part."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def energy(network: Network, plan: Plan) -> TableEnergy:
    """Energy of an image on an accelerator of `network` folded as `plan` says."""
    folds = {stage.name: stage.fold for stage in plan.stages}
    return layers_energy(lower(network), folds, device(plan.device).bram_bits)


def layers_energy(
    layers: Sequence[LoweredLayer], folds: Mapping[str, Fold], block: int
) -> TableEnergy:
    """Energy of an image, of lowered layers with their folding. block: bits of a block of RAM."""
    parts = dict.fromkeys((f.name for f in fields(TableEnergy)), 0.0)
    for layer in layers:
        fold = folds[layer.name]
        if isinstance(layer.op, Conv | Dense):
            parts[kind(layer.kind).unit] += _terms(layer, fold)
            parts["weights"] += _weights(layer, fold, block)
        elif isinstance(layer.op, Add):
            parts["add"] += prod(layer.sums.shape) * ADD * layer.sum_bits
        elif layer.window is not None:  # pooling: a comparison or a sum for each value
            parts["add"] += prod(layer.sources[0].shape) * ADD * layer.sum_bits
        parts["requantise"] += _requantise(layer, fold)
        parts["activations"] += _activations(layer, fold, block)
    return TableEnergy(**{name: pj / 1000 for name, pj in parts.items()})


def _terms(layer: LoweredLayer, fold: Fold) -> float:
    """pJ of all terms, and of the tree and accumulator that add them."""
    op = layer.op
    assert isinstance(op, Conv | Dense)
    above = max(layer.sources[0].bits - op.step, 0)  # the bits below a step pass by
    term, bits = lane_cost(layer.kind).energy(above, op.bits)
    bits += op.step
    simd = fold.taps * (1 if layer.depthwise else fold.lanes)
    sums = ADD * (bits * (simd - 1) + layer.sum_bits) / simd
    return layer.macs * (term + sums)


def _requantise(layer: LoweredLayer, fold: Fold) -> float:
    """pJ of multiplier or shifters, and of the offset."""
    node = layer.requantise
    if node is None:
        return 0.0
    factors, x = tuple(node.multiplier.tolist()), layer.sum_bits
    scaling = choose(factors, x, fold.requant)
    factor = max(width(f, True) for f in factors)
    if isinstance(scaling, Shifts):
        one = sum(SHIFT * (x + most) * most.bit_length() for most in scaling.most)
        one += scaling.count * ADD * (x + max(scaling.most, default=0))
    else:
        one = MULTIPLY * x * factor + ADD * (x + factor)
    return prod(layer.out.shape) * one


def _access(bits: float, size: int) -> float:
    """pJ for reading or writing `bits` bits in all, of a memory of `size` bits."""
    return READ * bits * sqrt(size / SIZE)


def _weights(layer: LoweredLayer, fold: Fold, block: int) -> float:
    """pJ for the weights of every term; none where they are all in use at once, as constants."""
    op = layer.op
    assert isinstance(op, Conv | Dense)
    simd = fold.taps * (1 if layer.depthwise else fold.lanes)
    if fold.weights == "wired" or op.weights.size == fold.pe * simd:
        return 0.0
    return _access(layer.macs * op.bits, min(block, op.weights.size * op.bits))


def _activations(layer: LoweredLayer, fold: Fold, block: int) -> float:
    """pJ for the row buffer, or for the partial results of a pool: each word in, each read."""
    if layer.window is None or (fold.weights == "wired" and geometry(layer, fold).in_order):
        return 0.0
    depth, bits = line_buffer_size(layer, fold)
    if depth <= 1:
        return 0.0
    words, size = prod(layer.sources[0].shape) // fold.lanes, min(block, depth * bits)
    if layer.blocks and fold.weights != "wired":
        return _access(2 * words * bits, size)
    reads = geometry(layer, fold).cycles
    return _access((words + reads) * bits * fold.taps, size)
