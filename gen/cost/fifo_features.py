"""What residual FIFOs and forks are made of: see gen.cost.features.

yosys chooses where the words of a FIFO lie, as the memory asks for nothing: at the least of the
costs that its pass memory_libmap knows, for which `memory_style` stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from gen.cost.engine_features import line_buffer
from gen.plan.fold_array import FeatureCounts
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold
from gen.support.devices import FAMILIES, Device

LUT_RAM = 4
"""Cost of a memory of 16 × 4 bits made of LUTs in yosys' libraries; a flip-flop costs 1."""
PAST_BLOCK = {"ice40": 13}
"""What yosys adds for the way past a block whose word is read as it is written, where the block
cannot do so itself; between 12 and 16 by where it changes its mind."""
Memory = Literal["register", "logic", "distributed", "block"]


def memory_style(depth: int, width: int, device: Device) -> Memory:
    """Where yosys puts `depth` words of `width` bits, written and read once a cycle."""
    if depth == 1:
        return "register"
    price = FAMILIES[device.family].bram_price
    ways: list[tuple[float, Memory]] = [(depth * width, "logic")]
    if device.distributed_ram:
        sixteens = -(-depth // 16)
        made = LUT_RAM * sixteens * -(-width // 4)
        ways.append((made + (sixteens - 1) * width / 2, "distributed"))
    past = PAST_BLOCK.get(device.family, 0)
    ways.append((device.brams(depth, width) * price + past, "block"))
    return min(ways, key=lambda way: way[0])[1]


def fifo_features(depth: int, width: int, device: Device) -> FeatureCounts:
    """Of rtl.streams.FifoUnit of `depth` words of `width` bits, the last of which is a register."""
    rows = depth - 1
    style, at = memory_style(rows, width, device), (rows - 1).bit_length()
    level = rows.bit_length()
    bill = FeatureCounts(counter=2 * at + level, register=2 * at + level + 1)
    if style == "register":
        return bill.add(lone=2 * width)
    one = np.array(rows), np.array(width), np.array(1), np.array(style)
    bill.add(line_buffer(*one, device), lone=width)
    if style == "block":
        # a word that is read as it is written goes past the block, though no FIFO does so
        bill.add(lone=at + 2, outlet=width, register=width)
    return bill


def fork_features() -> FeatureCounts:
    """Of rtl.streams.ForkUnit: two flags."""
    return FeatureCounts(register=2, counter=1)


def buffers(
    layers: Sequence[LoweredLayer],
    folds: Mapping[str, Fold],
    fifos: Mapping[str, tuple[int, int]],
    device: Device,
) -> dict[str, FeatureCounts]:
    """Of the FIFOs before each join and the forks behind each layer, by the name of that layer.

    fifos: depths before each join, as in a plan.
    """
    bills: dict[str, FeatureCounts] = {}
    for layer in layers:
        bill = FeatureCounts()
        for tensor, depth in zip(layer.sources, fifos.get(layer.name, ()), strict=False):
            if depth:
                bill.add(fifo_features(depth, folds[layer.name].lanes * tensor.bits, device))
        readers = sum(other.inputs.count(layer.name) for other in layers)
        for _ in range(readers - 1):
            bill.add(fork_features())
        if bill:
            bills[layer.name] = bill
    return bills
