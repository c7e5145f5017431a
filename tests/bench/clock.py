"""Clock of one network on four devices: the mean over seeds, and the slowest path in words.

    python -m tests.bench.clock [--network FOLDER] [--fps N] [--seeds N] [BOARD…]

At few images a second a network is mostly control, at many mostly elements; both want a fast clock.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from gen.engine.elaborate import elaborate
from gen.flow.build import build
from gen.planner.planner import plan
from gen.support.devices import device
from model.spec import Network
from model.store import load
from tests.support.paths import DIGITS_HYBRID

TARGETS = {"ulx3s-25f": 175.0, "hx8k": 120.0, "up5k": 52.0, "tang-nano-9k": 175.0}
"""MHz to reach, by board."""


@dataclass(frozen=True)
class ClockRow:
    """One network on one board at `fps`. mhz: clock of each seed. slowest: path of the fastest."""

    board: str
    fps: float
    lut: int
    ff: int
    mhz: tuple[float, ...]
    slowest: str

    @property
    def mean(self) -> float:
        return fmean(self.mhz)


def rows(network: Network, boards: Iterable[str], fps: float, seeds: int) -> Iterator[ClockRow]:
    """Plans and builds `network` on each board."""
    for board in boards:
        target = device(board)
        made = elaborate(network, plan(network, target, fps=fps))
        built = build(made.verilog, made.top, target, seeds=seeds, bitstream=False)
        mhz = tuple(one.fmax_mhz for one in built.seeds)
        cost = built.measured
        yield ClockRow(board, fps, cost.lut, cost.ff, mhz, str(built.slowest or "none named"))


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("boards", nargs="*", metavar="BOARD", default=list(TARGETS))
    parser.add_argument("--network", type=Path, default=DIGITS_HYBRID)
    parser.add_argument("--fps", type=float, nargs="+", default=[1_000.0, 20_000.0])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args(words)
    network = load(asked.network)
    print("board          images/s    LUT    FF   mean    all MHz, and the slowest path")
    for fps in asked.fps:
        for row in rows(network, asked.boards, fps, asked.seeds):
            every = " ".join(f"{mhz:.1f}" for mhz in row.mhz)
            goal = TARGETS.get(row.board)
            verdict = "" if goal is None else f" of {goal:.0f}"
            print(
                f"{row.board:13}  {row.fps:8.0f}  {row.lut:5}  {row.ff:4}  {row.mean:5.1f}{verdict}"
                f"  {every}, {row.slowest}"
            )


if __name__ == "__main__":
    main()
