"""The demo's network below RTL: test images through all that is built of it, on each family.

Alone, for the boards named: python -m tests.bench.evidence tang-nano-9k
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import torch

from gen.compile import CACHE
from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.recover.recover import needs_plan_without_multipliers
from gen.support.devices import device
from model import data, store
from sim.verify.levels import at_level, available
from sim.verify.network import simulate
from sim.verify.simulation_result import SimulationResult
from tests.support.paths import DIGITS_HYBRID as NETWORK

IMAGES = 20
RATES = {"ulx3s-25f": 20_000, "up5k": 5_000, "hx8k": 5_000, "tang-nano-9k": 20_000}
"""Images a second that each board's plan is made for."""


def proofs(boards: Iterable[str] = RATES) -> Iterator[tuple[str, SimulationResult]]:
    """Board and level, and what the simulation showed, for each level that can be had here."""
    network = store.load(NETWORK)
    images = torch.from_numpy(data.load("digits").test_images[:IMAGES])
    for board in boards:
        target = device(board)
        for level in available(target):
            bare = needs_plan_without_multipliers(target, level)
            folded = plan(network, target, fps=RATES[board], dsps=0 if bare else None)
            made = at_level(elaborate(network, folded), target, level, cache=CACHE)
            yield f"{board}, {level}", simulate(network, made, images, level=level)


def main(boards: list[str]) -> int:
    held = True
    for what, evidence in proofs(boards or RATES):
        wrong = f"{evidence.mismatches} of {evidence.images} images differ"
        print(f"{what}: {wrong}, {evidence.seconds:.0f} s", flush=True)
        held &= evidence.ok
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
