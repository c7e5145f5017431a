"""Residual FIFOs and forks in a plan: what is counted is what yosys makes of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import unsigned

from gen.cost.block_features import block_features
from gen.cost.cost import CostModel, buffer_costs, network_features
from gen.cost.features import MEANING
from gen.cost.fifo_features import memory_style
from gen.engine.elaborate import elaborate
from gen.flow.build import build
from gen.flow.synth import synthesise
from gen.plan.lower import lower
from gen.plan.plan import Cost
from gen.planner import planner
from gen.planner.planner import plan
from gen.support.cache import Cache
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from gen.support.verilog import verilog
from rtl.streams import Fifo
from tests.support.networks import residual_network

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
        (9, 8): "logic", (10, 8): "block", (19, 4): "logic", (21, 4): "block", (5, 16): "block",
        (6, 20): "logic", (7, 20): "logic",
        (8, 20): "block", (3, 40): "logic", (5, 40): "logic", (6, 40): "block", (4, 64): "logic",
    },
}  # fmt: skip
"""Where yosys put the rows and bits of a FIFO, on each side of where it changes its mind."""
CELLS = (
    ("ice40", 2, 20, 42, 0, 0), ("ice40", 4, 8, 39, 0, 0), ("ice40", 9, 8, 83, 0, 0),
    ("ice40", 9, 20, 56, 2, 0), ("ice40", 17, 40, 100, 3, 0), ("ice40", 65, 20, 68, 2, 0),
    ("ice40", 258, 40, 119, 5, 0), ("ice40", 514, 8, 59, 2, 0), ("ecp5", 40, 16, 35, 0, 12),
    ("ecp5", 300, 20, 79, 1, 0), ("ecp5", 1100, 8, 63, 1, 0), ("ecp5", 2, 20, 42, 0, 0),
    ("gowin", 40, 16, 35, 0, 12), ("gowin", 300, 20, 79, 1, 0),
)  # fmt: skip
"""Family, words and bits of a FIFO; flip-flops, blocks and LUT memories that synthesis made."""
BOARDS = {"ecp5": "ulx3s-25f", "gowin": "tang-nano-9k", "ice40": "up5k"}


@pytest.mark.parametrize("family", MEASURED)
def test_memories_lie_where_synthesis_puts_them(family: str) -> None:
    target = device(BOARDS[family])
    styles = {size: memory_style(*size, target) for size in MEASURED[family]}
    assert styles == MEASURED[family]


def counted(family: str, depth: int, width: int) -> Counter[str]:
    return block_features(Fifo(shape=unsigned(width), lanes=1, depth=depth), device(BOARDS[family]))


@pytest.mark.parametrize(("family", "depth", "width", "ff", "bram", "ram16x4"), CELLS)
def test_cells_are_counted(
    family: str, depth: int, width: int, ff: int, bram: int, ram16x4: int
) -> None:
    counts = counted(family, depth, width)
    assert counts["register"] + counts["lone"] + counts["ram_ff"] == ff
    assert (counts["bram"], counts["ram16x4"]) == (bram, ram16x4)
    assert counts.keys() <= MEANING.keys() | {"bram"}


@pytest.mark.parametrize(("family", "depth", "width"), [("ice40", 10, 20), ("ecp5", 20, 12)])
def test_synthesis_makes_what_is_counted(
    family: str, depth: int, width: int, tmp_path: Path
) -> None:
    block, target = Fifo(shape=unsigned(width), lanes=1, depth=depth), device(BOARDS[family])
    cells = synthesise(
        verilog(block.component(), "fifo"), "fifo", target, cache=Cache(tmp_path)
    ).cells
    counts = counted(family, depth, width)
    flops = sum(n for cell, n in cells.items() if cell.startswith(("SB_DFF", "TRELLIS_FF")))
    assert flops == counts["register"] + counts["lone"] + counts["ram_ff"]
    assert cells.get("SB_RAM40_4K", 0) + cells.get("DP16KD", 0) == counts["bram"]
    assert cells.get("TRELLIS_DPR16X4", 0) == counts["ram16x4"]


@pytest.mark.parametrize("board", BOARDS.values())
def test_plan_counts_its_fifos(board: str) -> None:
    """In the layers that they stand before; without them the plan is that of its layers alone."""
    network, target = residual_network(), device(board)
    made = plan(network, target, fps=20_000, exact=False)
    folds = {stage.name: stage.fold for stage in made.stages}
    layers = lower(network)
    assert sum(map(bool, sum(made.fifos.values(), ()))) >= 2
    more = buffer_costs(layers, folds, made.fifos, target)
    assert more.keys() >= made.fifos.keys()
    own, _ = network_features(layers, folds, target)
    all_of_it, _ = network_features(layers, folds, target, made.fifos)
    lut = CostModel.of(target).price(all_of_it)[0]
    assert made.cost.lut == pytest.approx(lut, rel=1e-4)
    assert lut > CostModel.of(target).price(own)[0] + 50
    of_joins = [stage.cost for stage in made.stages if stage.name in made.fifos]
    assert sum(cost.bram for cost in of_joins) == sum(cost.bram for cost in more.values())


@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS.values())
def test_residual_network_is_built_as_planned(board: str, tmp_path: Path) -> None:
    """Blocks of RAM exactly; LUTs within what the prices of networks miss."""
    network, target = residual_network(), device(board)
    made = plan(network, target, fps=20_000)
    hardware = elaborate(network, made)
    built = build(hardware.verilog, hardware.top, target, bitstream=False, cache=tmp_path).measured
    assert built.bram == made.cost.bram
    assert made.cost.lut == pytest.approx(built.lut, rel=0.12)
    assert made.cost.ff == pytest.approx(built.ff, rel=0.12)


def test_fifos_are_kept_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that would fit without its FIFOs is made smaller, or refused."""
    network, target = residual_network(), device("up5k")
    free = plan(network, target, exact=False)
    tight = replace(target, bram=free.cost.bram - 1)
    planned = plan(network, tight, exact=False)
    assert planned.cost.bram <= tight.bram
    monkeypatch.setattr(planner, "buffer_costs", lambda *what: {"a1_q": Cost(bram=99)})
    with pytest.raises(DoesNotFitError, match=r"does not fit .* FIFOs take 0 LUTs and 99 blocks"):
        plan(network, target, exact=False)
