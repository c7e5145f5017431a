"""Limits: plans that leave room for the cost model's errors, and what is said where that was not
enough."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gen.calibrate.evaluate import figure_errors
from gen.cost.cost import PRICES
from gen.limits import SURE, remedies, sure_plan
from gen.plan.plan import Cost, Plan, inferences_per_s
from gen.support.devices import FamilyName
from gen.support.errors import DoesNotFitError
from gen.support.promises import Promise, promises

MEASURED = {"fmax_mhz": 48.1, "inferences_per_s": 4923.7, "lut": 4210, "dsp": 8}


def plan_of(cycles: int, lut: float = 1000) -> Plan:
    return Plan("net", "ice40-up5k", (), cycles_interval=cycles, cost=Cost(lut=lut))


@pytest.mark.parametrize("family", SURE)
def test_the_room_is_that_of_nine_in_ten_networks_that_the_model_has_not_seen(
    family: FamilyName,
) -> None:
    errors = figure_errors(json.loads(PRICES.read_text())["families"][family], family)
    assert SURE[family].clock == pytest.approx(errors["clock"]["sure"], abs=0.01)
    assert SURE[family].lut == pytest.approx(errors["lut"]["sure"], abs=0.01)


def test_limits_are_held_against_measured_figures() -> None:
    asked = {"fps": 5000, "mhz": 48, "dsps": 8, "luts": 4000, "max_latency_us": None}
    held = promises(asked, MEASURED)
    assert [one.as_dict() for one in held] == [
        {"name": "fps", "asked": 5000, "measured": 4923.7, "met": False},
        {"name": "mhz", "asked": 48, "measured": 48.1, "met": True},
        {"name": "dsps", "asked": 8, "measured": 8, "met": True},
        {"name": "luts", "asked": 4000, "measured": 4210, "met": False},
    ]
    assert str(held[0]) == "--fps 5000 missed: 4,923.7 images a second"
    assert [one.met for one in promises(asked, None)] == [None] * 4


def test_a_plan_for_a_rate_counts_on_what_the_clock_model_is_sure_of() -> None:
    """10,000 cycles at 40 MHz are 4,000 images a second: at 0.8 of a predicted 40 MHz, 3,200."""
    asked: list[float | None] = []

    def make(mhz: float | None, luts: float | None) -> Plan:
        asked.append(mhz)
        return plan_of(int((mhz or 40) * 1e6 / 4000))

    made = sure_plan(make, lambda plan: 40.0, "ice40", fps=4000)
    assert asked == [None, pytest.approx(32)]
    assert inferences_per_s(made.cycles_interval, 32) >= 4000
    asked.clear()
    assert sure_plan(make, lambda plan: 60.0, "ice40", fps=4000).cycles_interval == 10_000
    assert sure_plan(make, lambda plan: 40.0, "ice40", fps=4000, mhz=40).cycles_interval == 10_000
    assert asked == [None, 40], "a clock that is asked for must be met: it is planned with"


def test_room_that_does_not_fit_is_given_up() -> None:
    def make(mhz: float | None, luts: float | None) -> Plan:
        if mhz or (luts and luts < 1000):
            raise DoesNotFitError("too small")
        return plan_of(10_000)

    assert sure_plan(make, lambda plan: 40.0, "ice40", fps=4000).cycles_interval == 10_000
    assert sure_plan(make, lambda plan: 40.0, "ice40", luts=1000).cycles_interval == 10_000
    with pytest.raises(DoesNotFitError):
        sure_plan(make, lambda plan: 40.0, "ice40", luts=900)


def advice(asked: dict[str, float | None], make: Any) -> list[str]:
    return list(remedies(promises(asked, MEASURED), make, MEASURED))


def test_a_missed_rate_names_one_that_meets_it() -> None:
    def make(fps: float) -> Plan:
        return plan_of(int(36e6 / fps * 1.3), 2345)

    (line,) = advice({"fps": 5000}, make)
    assert line == (
        "--fps 5000 missed: 4,923.7 images a second; --fps 5129 plans 9,124 cycles an image in "
        "2,345 LUTs, which meets it at the 48.1 MHz measured; or --seeds 8 (the best of eight "
        "placements)"
    )
    (line,) = advice({"fps": 5000}, lambda fps: plan_of(10_000))
    assert line.endswith("--seeds 8 (the best of eight placements), a smaller network or a larger "
                         "device may meet it")  # fmt: skip

    def nothing(**other: Any) -> Plan:
        raise DoesNotFitError("full")

    (line,) = advice({"fps": 5000}, nothing)
    assert "no faster plan fits" in line
    (line,) = advice({"luts": 4000}, nothing)
    assert "--luts 4000 missed: 4,210 LUTs; no smaller plan" in line


def test_other_limits_that_are_missed_name_what_meets_them() -> None:
    assert advice({"luts": 4000}, lambda luts: plan_of(1)) == [
        "--luts 4000 missed: 4,210 LUTs; --luts 3762 leaves room for that error of the prediction"
    ]
    assert advice({"mhz": 50}, None) == [
        "--mhz 50 missed: 48.1 MHz; --seeds 8 (the best of eight placements) may meet it, "
        "--mhz 48.1 is met as it is"
    ]
    assert advice({"dsps": 4}, None) == ["--dsps 4 missed: 8 multipliers"]
    assert advice({"dsps": 8, "mhz": 48, "fps": 1}, None) == []


def test_a_promise_of_what_was_not_measured_is_neither() -> None:
    assert str(Promise("fps", 5000, None, None)) == "--fps 5000: not measured"
