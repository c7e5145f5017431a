"""Residual FIFOs and forks in a plan: what is counted is what yosys makes of them."""

from __future__ import annotations

import pytest
from amaranth.hdl import unsigned

from gen.cost.block_features import block_features
from gen.cost.cost import CostModel
from gen.cost.fifo_features import memory_style
from gen.support.devices import device
from rtl.streams import Fifo

MEASURED = {
    "ecp5": {
        (2, 8): "distributed", (64, 20): "distributed", (80, 20): "block", (160, 8): "distributed",
        (176, 8): "distributed", (192, 8): "block", (64, 40): "distributed", (80, 40): "block",
        (1, 8): "register",
    },
    "gowin": {
        (2, 8): "distributed", (64, 20): "distributed", (80, 20): "block", (160, 8): "distributed",
        (192, 8): "block", (80, 40): "block",
    },
    "ice40": {
        (9, 8): "logic", (10, 8): "block", (19, 4): "logic", (21, 4): "block", (5, 16): "block", (6, 20): "logic", (7, 20): "logic",
        (8, 20): "block", (3, 40): "logic", (5, 40): "logic", (6, 40): "block", (4, 64): "logic",
    },
}  # fmt: skip
"""Where yosys put the rows and bits of a FIFO, on each side of where it changes its mind."""
BOARDS = {"ecp5": "ulx3s-25f", "gowin": "tang-nano-9k", "ice40": "up5k"}


@pytest.mark.parametrize("family", MEASURED)
def test_memories_lie_where_synthesis_puts_them(family: str) -> None:
    target = device(BOARDS[family])
    styles = {size: memory_style(*size, target) for size in MEASURED[family]}
    assert styles == MEASURED[family]
