"""Multipliers are counted as synthesis takes them, in the units that the device has."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.cost.requant_features import hardware_multipliers
from gen.flow.place import RESOURCES
from gen.flow.synth import synthesise
from gen.planner.fold_optimiser import ResourceBudget
from gen.support.cache import Cache
from gen.support.devices import device

SIZES = [(4, 4), (9, 9), (9, 3), (10, 4), (10, 3), (6, 5), (16, 8)]
SPLIT = [(18, 8), (20, 8), (22, 8)]
UNITS = {"SB_MAC16": 1, **RESOURCES["gowin"]["dsp"]}


def product(a: int, b: int) -> str:
    """A registered signed product of a by b bits."""
    return (
        f"module top(input clk, input signed [{a - 1}:0] a, input signed [{b - 1}:0] b, "
        f"output reg signed [{a + b - 1}:0] o);\nalways @(posedge clk) o <= a * b;\nendmodule\n"
    )


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [("tang-nano-9k", *size) for size in SIZES + SPLIT] + [("up5k", *size) for size in SIZES],
)
def test_count_is_what_synthesis_takes(name: str, a: int, b: int, tmp_path: Path) -> None:
    target = device(name)
    cells = synthesise(product(a, b), "top", target, cache=Cache(tmp_path)).cells
    taken = sum(UNITS[cell] * n for cell, n in cells.items() if cell in UNITS)
    assert taken == hardware_multipliers(target, a, b)


def test_a_small_product_takes_half_a_multiplier_of_gowin() -> None:
    target = device("tang-nano-9k")
    assert target.dsp == 40
    assert [target.multipliers(*size) for size in ((9, 9), (10, 4), (18, 18))] == [1, 2, 2]
    assert ResourceBudget.of(target).dsp == 36
    assert ResourceBudget.of(device("up5k")).dsp == device("up5k").dsp
