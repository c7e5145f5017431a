"""Energy on the FPGA: coefficients and their origins, and predictions by hand."""

from __future__ import annotations

import json

import pytest

from gen.cost import energy as energies
from gen.cost.energy import FIT, energy, features
from gen.cost.power import power, published
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.support.devices import DEVICES, device

STAGES = (
    PlannedLayer("a", "add", Fold(), 80, Cost(lut=10, bram=1)),
    PlannedLayer("b", "mult", Fold(), 50, Cost(lut=4, dsp=2)),
    PlannedLayer("c", "max", Fold(), 120, Cost(lut=3)),  # longer than the interval: always at work
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


def test_prediction_by_hand() -> None:
    assert features(PLAN) == {
        "lut_mult": 200, "lut_shift": 0, "lut_add": 800, "lut_other": 300, "bram": 80, "dsp": 100,
    }  # fmt: skip
    chip = device("up5k")
    price = json.loads(FIT.read_text())["ice40"]["prices"]
    made = energy(PLAN, 50.0, chip)
    luts = 200 * price["lut_mult"] + 800 * price["lut_add"] + 300 * price["lut_other"]
    assert made.logic == pytest.approx(luts / 1e3)
    assert made.memories == pytest.approx(80 * price["bram"] / 1e3)
    assert made.multipliers == pytest.approx(100 * price["dsp"] / 1e3)
    assert made.static == pytest.approx(power(chip).static_uw.value * 2 / 1e3)  # 2 µs
    assert made.total == pytest.approx(made.static + made.clock + made.activity)
    assert made.power_uw(500_000) == pytest.approx(made.total * 500)


def test_the_hash_follows_the_figures(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    before = energies.model_hash()
    other = tmp_path / "fit.json"
    other.write_text(FIT.read_text() + "\n")
    monkeypatch.setattr(energies, "FIT", other)
    assert energies.model_hash() != before
