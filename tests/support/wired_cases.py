# amaranth: UnusedElaboratable=no
"""Inputs for wired units, their sums by definition, and the results of their hardware."""

from __future__ import annotations

import random

import numpy as np

from rtl.wired.unit import WiredLayer, WiredSums
from tests.support.stream_runner import Context, simulate


def wanted(block: WiredSums, x: np.ndarray) -> np.ndarray:
    """Sums of inputs (N, inputs) by the definition of the kind."""
    columns = []
    for row, offset in zip(block.connections, block.offsets, strict=True):
        chosen = x[:, [i for i, _ in row]]
        w = np.array([w for _, w in row])
        match block.kind:
            case "add":
                total = -np.abs(chosen - w).sum(1)
            case "sum":
                total = chosen.sum(1)
            case "max":
                total = chosen.max(1)
            case _:
                total = (chosen * w).sum(1)
        columns.append(total + offset)
    return np.stack(columns, 1)


def samples(block: WiredSums, number: int, seed: int) -> np.ndarray:
    """Inputs of which a third are at an end of their range."""
    rng, (lo, hi) = np.random.default_rng(seed), block.x_range
    shape = number, block.inputs
    ends = rng.choice([lo, hi], shape)
    return np.where(rng.random(shape) < 0.3, ends, rng.integers(lo, hi + 1, shape))


def run(block: WiredSums | WiredLayer, x: np.ndarray, seed: int) -> np.ndarray:
    """Results of the hardware for each row of x, enabled at random, x changing meanwhile."""
    sums_of = block if isinstance(block, WiredSums) else block.layer_sums
    rng, dut = random.Random(seed), block.component()
    sums: list[list[int]] = []

    async def bench(ctx: Context) -> None:
        cycle = 0
        while len(sums) < len(x):
            en = rng.random() < 0.7
            row = x[cycle] if en and cycle < len(x) else samples(sums_of, 1, rng.getrandbits(30))[0]
            ctx.set(dut.en, en)
            ctx.set(dut.x, row.tolist())
            await ctx.tick()
            cycle += en
            if en and cycle >= block.latency:
                sums.append([ctx.get(result) for result in getattr(dut, block.port)])

    simulate(dut, bench)
    return np.array(sums)
