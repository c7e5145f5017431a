"""Milliseconds that a prediction of energy takes, as the search makes it for each plan.

Those of the processor, which other work on the machine does not change much. Alone:
python -m tests.bench.energy
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from gen.cost.energy import energy
from gen.planner.planner import plan
from gen.support.devices import device
from model import store
from tests.support.paths import DIGITS_HYBRID

BOARD, MHZ, TIMES = "up5k", 40.0, 50
MOST = 5.0
"""Milliseconds at most that are asked for."""

Row = tuple[str, str, str, bool]
"""What, its value, the target, whether it is met."""


def milliseconds() -> float:
    """Of one prediction for the demo's network, from the network and its plan."""
    network, target = store.load(DIGITS_HYBRID), device(BOARD)
    made = plan(network, target)
    energy(network, made, MHZ, target)  # reads the prices
    began = time.process_time()
    for _ in range(TIMES):
        energy(network, made, MHZ, target)
    return (time.process_time() - began) / TIMES * 1e3


def rows() -> Iterator[Row]:
    spent = milliseconds()
    yield "energy predicted of a plan", f"{spent:.2f} ms", f"at most {MOST:g} ms", spent <= MOST


if __name__ == "__main__":
    print(*next(rows()))
