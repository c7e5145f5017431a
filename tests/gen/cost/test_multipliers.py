"""Multipliers are counted as synthesis takes them, in the units that the device has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gen.calibrate.characterise import measure
from gen.calibrate.random_layers import last_layer
from gen.cost.features import describe
from gen.cost.requant_features import hardware_multipliers
from gen.flow.place import RESOURCES
from gen.flow.synth import synthesise
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold, ProductStyle
from gen.planner.fold_candidates import FoldCandidates, folds
from gen.planner.fold_optimiser import ResourceBudget
from gen.support.cache import Cache
from gen.support.devices import device
from model.spec import Dense, Format, Input, Node, Requantise

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


@pytest.mark.parametrize("a", [16, 17, 18, 20, 22])
def test_factors_have_no_sign_where_a_product_is_split(a: int, tmp_path: Path) -> None:
    """A sum of a bits by a factor of 8 bits without a sign, which takes a ninth."""
    target = device("up5k")
    cells = synthesise(product(a, 9), "top", target, cache=Cache(tmp_path)).cells
    assert cells["SB_MAC16"] == hardware_multipliers(target, a, 8)


def test_a_small_product_takes_half_a_multiplier_of_gowin() -> None:
    target = device("tang-nano-9k")
    assert target.dsp == 40
    assert [target.multipliers(*size) for size in ((9, 9), (10, 4), (18, 18))] == [1, 2, 2]
    assert ResourceBudget.of(target).dsp == 36
    assert ResourceBudget.of(device("up5k")).dsp == device("up5k").dsp


def layer_of(kind: str, bits: int, x_bits: int) -> LoweredLayer:
    """A fully connected layer of 16 inputs and 8 outputs with weights over their whole range."""
    draw = np.random.default_rng(bits)
    weights = draw.integers(-(1 << bits - 1), 1 << bits - 1, (8, 16))
    nodes: list[Node] = [
        Input("x", (1, 1, 16), Format(x_bits)),
        Dense("op", ("x",), kind, weights, bits),
    ]
    m, b = np.full(8, 77), np.arange(8)
    return last_layer([*nodes, Requantise("r", ("op",), m, b, 9, Format(4))])


@pytest.mark.slow(sample=6)
@pytest.mark.parametrize("logic_pe", [0, 2])
@pytest.mark.parametrize(
    ("name", "multiplier", "bits", "x_bits"),
    [
        ("ulx3s-25f", "dsp", 4, 8), ("ulx3s-25f", "packed", 4, 8), ("ulx3s-25f", "packed", 2, 4),
        ("up5k", "dsp", 4, 4), ("up5k", "dsp", 8, 8), ("tang-nano-9k", "dsp", 4, 8),
    ],
)  # fmt: skip
def test_layers_take_what_is_counted(
    name: str, multiplier: ProductStyle, bits: int, x_bits: int, logic_pe: int, tmp_path: Path
) -> None:
    """Products in pairs, and layers divided between multipliers and LUTs."""
    layer, target = layer_of("mult", bits, x_bits), device(name)
    fold = Fold(pe=4, lanes=2, out_lanes=1, multiplier=multiplier, logic_pe=logic_pe)
    counted = describe(layer, fold, target)[1].dsp
    products = (fold.pe - logic_pe) * fold.lanes
    assert counted == products // (2 if "packed" in multiplier or name == "up5k" else 1)
    assert measure(layer, fold, target, Cache(tmp_path))["dsp"] == counted


@pytest.mark.parametrize(
    ("x_bits", "w_bits", "symmetric", "packs"),
    [(8, 4, False, True), (8, 5, True, True), (8, 5, False, False), (8, 6, True, False)],
)
def test_two_products_fit_one_multiplier_of_18_bits(
    x_bits: int, w_bits: int, symmetric: bool, packs: bool
) -> None:
    assert device("ulx3s-25f").packs(x_bits, w_bits, symmetric) == packs
    assert not device("up5k").packs(x_bits, w_bits, symmetric)


def test_deep_lanes_have_a_register_on_gowin_alone() -> None:
    def staged(board: str, kind: str, bits: int) -> set[bool]:
        layer = last_layer(
            [
                Input("x", (1, 1, 16), Format(4)),
                Dense("op", ("x",), kind, np.full((8, 16), 2), bits),
                Requantise("r", ("op",), np.full(8, 77), np.arange(8), 9, Format(4)),
            ]
        )
        return {fold.staged for fold in folds(layer, device(board))}

    assert staged("tang-nano-9k", "shift", 4) == {True}
    for others in (("tang-nano-9k", "shift", 3), ("tang-nano-9k", "mult", 4), ("up5k", "shift", 4)):
        assert staged(*others) == {False}


def test_layers_are_divided_where_multipliers_are_few() -> None:
    """Of three multipliers none is idle while elements are made of LUTs."""
    layer = layer_of("mult", 4, 8)
    offers = FoldCandidates(layer, device("tang-nano-9k"))
    room, price = np.array([5000.0, 5000.0, 3, 10]), np.array([1e-3, 1e-4, 1e-6, 1e-6])
    cycles = 32
    best = offers.best(price, cycles, room)
    whole = offers.costs[(offers.cycles <= cycles) & (offers.costs[:, 2] <= 3)]
    assert best.fold.logic_pe > 0
    assert best.cost.dsp <= 3
    assert best.cycles <= cycles
    assert best.cost.lut < whole[:, 0].min()
