"""Lanes of add whose weights have a step: what synthesis takes less for it is what is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gen.calibrate.random_layers import last_layer
from gen.cost.block_features import block_features
from gen.cost.features import describe
from gen.engine.units import engine
from gen.flow.synth import synthesise
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold
from gen.support.cache import Cache
from gen.support.devices import device
from gen.support.verilog import verilog
from model.spec import Conv, Format, Input, Node, Requantise
from tests.bench.lanes import LUTS

ECP5 = device("ulx3s-25f")
FOLD = Fold(pe=4, lanes=4, taps=1, out_lanes=1, weights="block", line_buffer="block")


def layer(bits: int, step: int) -> LoweredLayer:
    draw = np.random.default_rng(1)
    weights = draw.integers(-(1 << bits - 1), 1 << bits - 1, (8, 3, 3, 8)) << step
    nodes: list[Node] = [
        Input("x", (8, 8, 8), Format(8)),
        Conv("op", ("x",), "add", weights, bits, 1, "same", step=step),
        Requantise("r", ("op",), np.full(8, 77), np.full(8, 3), 12, Format(8)),
    ]
    return last_layer(nodes)


def made(of: LoweredLayer, cache: Cache) -> tuple[int, int]:
    """LUTs and flip-flops by synthesis."""
    source = verilog(engine(of, FOLD).component(), "top")
    cells = synthesise(source, "top", ECP5, cache=cache).cells
    lut = sum(n * cells.get(name, 0) for name, n in LUTS["ecp5"].items())
    return lut, cells["TRELLIS_FF"]


def test_a_step_takes_as_much_less_as_is_counted(tmp_path: Path) -> None:
    wide, narrow = layer(8, 0), layer(4, 4)
    assert engine(wide, FOLD).lane_bits == engine(narrow, FOLD).lane_bits == 8
    (lut, ff), (lut4, ff4) = (made(one, Cache(tmp_path)) for one in (wide, narrow))
    before, after = (describe(one, FOLD, ECP5)[0] for one in (wide, narrow))
    assert before["lane_add"] - after["lane_add"] == lut - lut4 == 4 * 16
    registers = [counts["register"] + counts["lone"] for counts in (before, after)]
    assert registers[0] - registers[1] == 4 * 4 * 3  # one of four elements has them
    assert abs(ff - ff4 - 4 * 4 * 3) <= 2
    assert before["tree_add"] == after["tree_add"]


def test_a_block_is_counted_as_its_layer() -> None:
    of = layer(4, 4)
    counts, cost = describe(of, FOLD, ECP5)
    block = block_features(engine(of, FOLD), ECP5)
    assert {name: block[name] for name in counts} == counts
    assert (block["dsp"], block["bram"]) == (cost.dsp, cost.bram)
