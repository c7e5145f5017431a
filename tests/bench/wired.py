# amaranth: UnusedElaboratable=no
"""Wired dense layers of 32 × 32 weights: LUTs a weight, and the clock, on an ECP5 LFE5U-85F.

Sums alone, without requantisers, a register behind every adder. Weights are any of their bits.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from gen.support.cache import Cache
from gen.support.verilog import verilog
from rtl.wired.unit import WiredSums
from tests.bench.datapath import Datapath, Measured, measure
from tests.support.layer_cases import random_weights

SIZE = 32


@dataclass(frozen=True)
class Case:
    """x_bits, w_bits: of inputs and weights. zeros: share of the weights set to zero. limit: LUTs a
    weight that are to be reached."""

    kind: str
    x_bits: int
    w_bits: int
    limit: float
    zeros: float = 0.0

    def __str__(self) -> str:
        zeros = ", half of them zero" if self.zeros else ""
        return f"{self.kind} {self.x_bits}×{self.w_bits} bits{zeros}"


CASES = (
    Case("mult", 4, 4, 6.4),
    Case("mult", 4, 4, 3.4, zeros=0.5),
    Case("shift", 4, 3, 4.0),
    Case("add", 4, 4, 3.6),
    Case("add", 8, 6, 8.7),
    Case("mult", 8, 8, 20.6),
)


def dense(case: Case, seed: int = 0) -> WiredSums:
    """The sums of a dense layer of random weights."""
    rng = random.Random(seed)
    weights = random_weights(rng, case.kind, case.w_bits, (SIZE, SIZE)).tolist()
    rows = tuple(
        tuple((i, 0 if rng.random() < case.zeros else w) for i, w in enumerate(row))
        for row in weights
    )
    return WiredSums(
        kind=case.kind, connections=rows, offsets=(0,) * SIZE, inputs=SIZE, x_bits=case.x_bits,
        x_signed=False, acc_bits=case.x_bits + case.w_bits + 6,
    )  # fmt: skip


def datapath(sums: WiredSums) -> Datapath:
    ports = ".clk(clk), .rst(1'b0), .en(1'b1), .x(given), .acc(result)"
    size = sums.inputs * sums.x_bits, len(sums.offsets) * sums.acc_bits
    return Datapath(verilog(sums.component(), "sums"), "sums", ports, *size)


def rows(cache: Cache | None = None) -> Iterator[tuple[Case, Measured]]:
    for case in CASES:
        yield case, measure(datapath(dense(case)), cache or Cache())


def main() -> None:
    print("32 × 32 weights                   LUT a weight   to reach  fmax MHz")
    for case, got in rows():
        figures = f"{got.lut / SIZE**2:12.2f}  {case.limit:9.1f}  {got.fmax_mhz:8.1f}"
        print(f"{case!s:32}  {figures}", flush=True)


if __name__ == "__main__":
    main()
