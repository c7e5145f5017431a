"""Energy on the FPGA: coefficients and their origins, and predictions by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gen.cost import energy as energies
from gen.cost.energy import FIT, energy, features, power_uw
from gen.cost.power import power, published
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.support.devices import DEVICES, device
from model.spec import Conv, Dense, Format, Head, Input, Network, Requantise


def requantised(name: str, source: str, channels: int, bits: int) -> Requantise:
    m, b = np.ones(channels, dtype=np.int64), np.full(channels, 300)
    return Requantise(name, (source,), m, b, 4, Format(bits, name == "b"))


IMAGE = Format(5, False)
WEIGHTS = np.ones((2, 3, 3, 1), dtype=np.int64)
NETWORK = Network(
    (
        Input("x", (4, 4, 1), IMAGE),
        Conv("conv", ("x",), "add", WEIGHTS, 4),
        requantised("a", "conv", 2, 4),
        Dense("dense", ("a",), "mult", np.ones((3, 32), dtype=np.int64), 6),
        requantised("b", "dense", 3, 8),
        Head("scores", ("b",)),
    )
)
"""288 terms of 5 bits; then 96 of 4 by 6 bits."""
STAGES = (
    PlannedLayer("a", "add", Fold(), 80, Cost(lut=10, bram=1)),
    PlannedLayer("b", "mult", Fold(multiplier="dsp"), 50, Cost(lut=4, dsp=2)),
    PlannedLayer("scores", "head", Fold(), 120, Cost(lut=3)),  # longer than the interval
)
PLAN = Plan("", "ice40-up5k", STAGES, cycles_interval=100)


def test_published_energies_by_hand() -> None:
    pj = 1.219 / 12  # µA at 12 MHz
    assert published()["counter"] == pytest.approx(27.8 / 7 * pj)
    assert published()["clock"] == pytest.approx(521.4 * pj - 27.8 / 7 * pj)
    assert published()["clock"] == pytest.approx(52.5, rel=0.01)  # as the issue has it
    assert published()["product_lut"] == pytest.approx(35.7, abs=0.1)
    assert published()["product_dsp"] == pytest.approx(24.1, abs=0.1)


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_only_the_measured_device_has_measured_figures(name: str) -> None:
    origins = {one.origin for one in vars(power(device(name))).values()}
    assert (("measured" in origins) or ("fitted" in origins)) == (name == "ice40-up5k")
    assert all(one.source and one.value > 0 for one in vars(power(device(name))).values())


def test_scaling_is_by_voltage_process_and_size() -> None:
    board, other = power(device("up5k")), power(device("tang-nano-9k"))
    scale = (1.2 / 1.219) ** 2 * 55 / 40
    assert other.toggle_pj.value == pytest.approx(board.toggle_pj.value * scale)
    assert other.clock_pj.value == pytest.approx(board.clock_pj.value * scale * 8640 / 5280)
    assert other.glitch.value == board.glitch.value


def test_features_by_hand() -> None:
    counts = {"lut": 800 + 200 + 300, "term_add": 288 * 5, "term_shift": 0, "bram": 80, "dsp": 100}
    assert features(NETWORK, PLAN) == counts | {"term_mult": 0, "product": 96 * (4 + 6)}
    in_logic = {"lut": 1.0, "dsp": 0.0, "packed": 0.25}
    for multiplier, part in in_logic.items():
        fold = Fold(pe=4, multiplier=multiplier, logic_pe=int(4 * part) if part < 1 else 0)  # type: ignore[arg-type]
        stages = (STAGES[0], replace(STAGES[1], fold=fold), STAGES[2])
        made = features(NETWORK, replace(PLAN, stages=stages))
        products = 96 * (4 + 6) * (1 - part)
        assert made == counts | {"term_mult": 96 * 4 * 6 * part, "product": products}


def test_prediction_by_hand() -> None:
    chip = device("up5k")
    price = json.loads(FIT.read_text())["ice40"]["prices"]
    made = energy(NETWORK, PLAN, 50.0, chip)
    assert made.logic == pytest.approx((1300 * price["lut"] + 288 * 5 * price["term_add"]) / 1e3)
    assert made.memories == pytest.approx(80 * price["bram"] / 1e3)
    assert made.multipliers == pytest.approx((100 * price["dsp"] + 960 * price["product"]) / 1e3)
    assert made.static == pytest.approx(power(chip).static_uw.value * 2 / 1e3)  # 2 µs
    assert made.total == pytest.approx(made.static + made.clock + made.activity)
    assert made.power_uw(500_000) == pytest.approx(made.total * 500)


@pytest.mark.parametrize("fps", [0.0, 30.0, 500_000.0])
def test_power_at_a_rate_needs_no_parts(fps: float) -> None:
    made = energy(NETWORK, PLAN, 50.0, device("up5k"))  # 100 cycles: 500,000 images a second
    assert power_uw(made.total, made.idle_uw, 500_000, fps) == pytest.approx(made.power_uw(fps))


def test_origins_are_told_for_each_coefficient() -> None:
    assert power(device("up5k")).origins == (
        "static power, clock tree measured; toggles, glitches, multipliers fitted; "
        "blocks of RAM scaled"
    )
    rest = "clock tree, toggles, glitches, blocks of RAM, multipliers"
    assert power(device("hx8k")).origins == f"static power vendor; {rest} scaled"
    assert power(device("tang-nano-9k")).origins == f"static power, {rest} scaled"


@pytest.mark.parametrize(
    ("name", "milliamperes", "volt"),
    [("hx8k", 1.14, 1.2), ("ulx3s-25f", 77, 1.1), ("ulx3s-85f", 212, 1.1)],
)
def test_static_power_is_the_current_of_the_data_sheet(
    name: str, milliamperes: float, volt: float
) -> None:
    known = power(device(name)).static_uw
    assert known.value == pytest.approx(milliamperes * volt * 1e3)
    assert f"{milliamperes * (1000 if milliamperes < 10 else 1):g} " in known.source


def test_the_hash_follows_the_figures(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    before = energies.model_hash()
    other = tmp_path / "fit.json"
    other.write_text(FIT.read_text() + "\n")
    monkeypatch.setattr(energies, "FIT", other)
    assert energies.model_hash() != before
