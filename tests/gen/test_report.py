"""Reports: predicted beside measured, kept as JSON, drawn as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from gen.cost.cost import CostModel
from gen.cost.energy import energy
from gen.cost.energy_45nm import energy as energy_45nm
from gen.flow.build import Build, MeasuredCost
from gen.flow.seeds import SeedClock
from gen.flow.slowest_path import SlowestPath
from gen.plan.plan import Cost, Plan, inferences_per_s, latency_us
from gen.planner.planner import plan
from gen.report import (
    Report,
    ReportError,
    load,
    report,
    save,
    with_cycles,
)
from gen.support.devices import device
from gen.support.promises import promises
from gen.table import table
from tests.support.networks import residual_network

PLAN = Plan(
    network_hash="abc",
    device="ice40-up5k",
    stages=(),
    cycles_latency=1000,
    cycles_interval=500,
    cost=Cost(lut=2200.4, ff=900, dsp=8, bram=10),
)
CLOCK = CostModel.of(device("up5k")).fmax_mhz(PLAN.stages, PLAN.cost.lut, device("up5k"))
BUILD = Build(
    device=device("up5k"),
    top="top",
    measured=MeasuredCost(
        lut=2000, ff=1000, dsp=8, bram=10, ram16x4=0, fmax_mhz=50.0, mhz=40.0, seed=1
    ),
    cells={},
    files={"bitstream": Path("b.bin")},
    seconds={"synthesis": 2.0, "place": 3.0},
    cached=False,
    tools=("a 1",),
    seeds=(SeedClock(1, 50.0), SeedClock(2, 44.0)),
    slowest=SlowestPath("weight ROM of a", "adder tree of a", 20.0, 0.7, "a.bank0_Q", "a.sum_Q"),
)


def test_speed_from_cycles_and_clock() -> None:
    assert latency_us(1000, 50.0) == 20.0
    assert inferences_per_s(500, 50.0) == 100_000.0


def test_prediction_stands_beside_measurement() -> None:
    made = report("net", PLAN, BUILD, files={"verilog": Path("n.v")}, seconds={"plan": 1.0})
    assert made.measured is not None
    assert (made.predicted.lut, made.measured.lut) == (2200, 2000)
    assert (made.predicted.fmax_mhz, made.measured.fmax_mhz) == (CLOCK, 50.0)
    assert (made.predicted.latency_us, made.measured.latency_us) == (1000 / CLOCK, 20.0)
    assert made.measured.inferences_per_s == 100_000.0
    assert (made.predicted.cycles_latency, made.measured.cycles_latency) == (1000, None)
    assert made.files == {"bitstream": "b.bin", "verilog": "n.v"}
    assert made.seconds == {"plan": 1.0, "synthesis": 2.0, "place": 3.0}


def test_clock_is_given_over_all_seeds_with_what_sets_it() -> None:
    made = report("net", PLAN, BUILD)
    assert list(made.as_dict()["seeds"]) == [
        {"seed": 1, "fmax_mhz": 50.0}, {"seed": 2, "fmax_mhz": 44.0},
    ]  # fmt: skip
    assert made.as_dict()["slowest_path"]["from_cell"] == "a.bank0_Q"
    assert made.clock_lines == (
        "clock over 2 seeds: mean 47.0, least 44.0, most 50.0 MHz",
        "slowest path: from weight ROM of a to adder tree of a: 20.0 ns, 70 % routing",
    )


def test_simulated_cycles_are_the_measured_ones() -> None:
    made = report("net", PLAN, BUILD, cycles=(2000, 1000))
    assert made.measured is not None
    assert (made.measured.cycles_latency, made.measured.cycles_interval) == (2000, 1000)
    assert (made.measured.latency_us, made.measured.inferences_per_s) == (40.0, 50_000.0)
    assert made.predicted.cycles_latency == 1000


def test_plan_alone_is_a_report_at_the_predicted_clock() -> None:
    made = report("net", PLAN)
    assert made.measured is None
    assert 20 < CLOCK < 80
    assert made.predicted.latency_us == 1000 / CLOCK


@pytest.mark.parametrize("build", [None, BUILD])
def test_json_comes_back_and_is_the_same_text_each_time(
    build: Build | None, tmp_path: Path
) -> None:
    made = report("net", PLAN, build)
    path = tmp_path / "r.json"
    save(made, path)
    text = path.read_text()
    assert load(path) == made
    save(load(path), path)
    assert path.read_text() == text
    assert list(json.loads(text))[:4] == ["format", "version", "network", "network_hash"]
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "r.json: not JSON"),
        ("[]", "r.json: not of format 'shiftadd-report'"),
        ('{"format": "other", "version": 1}', "r.json: not of format 'shiftadd-report'"),
        (
            '{"format": "shiftadd-report", "version": 2}',
            "version 2 is not 1, the one",
        ),
        ('{"format": "shiftadd-report", "version": 1}', "missing required field network; comp"),
    ],
)
def test_foreign_files_are_refused_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ReportError, match=said) as error:
        load(tmp_path / "r.json")
    assert "\n" not in str(error.value)


def drawn(made: Report) -> list[list[str]]:
    """Cells of the table, row by row, without the spaces around them."""
    console = Console(width=120, color_system=None)
    with console.capture() as caught:
        console.print(table(made))
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in caught.get().splitlines()]


def test_table_shows_errors_and_share_of_the_device() -> None:
    rows = drawn(report("net", PLAN, BUILD))
    assert ["LUT", "2,200", "2,000", "+10.0 %", "38 % of 5,280"] in rows
    assert ["DSP", "8", "8", "+0.0 %", "100 % of 8"] in rows
    assert ["latency, cycles", "1,000", "–", "–", ""] in rows
    rate = CLOCK * 1e6 / 500
    assert ["inferences/s", f"{rate:,.0f}", "100,000", f"{rate / 1000 - 100:+.1f} %", ""] in rows


@pytest.mark.parametrize(("asked", "rate"), [(None, 30), (200.0, 200), (1e9, 1e9)])
def test_table_shows_power_at_the_rate_asked_for(asked: float | None, rate: float) -> None:
    known = replace(report("net", PLAN).predicted, energy_nj=300.0, idle_uw=500.0)
    made = replace(report("net", PLAN), predicted=known, promises=promises({"fps": asked}, {}))
    most = CLOCK * 1e6 / 500
    power = {most: 0.3 * most, rate: 500 + (0.3 - 500 / most) * rate}
    shown = {row[0]: row[1] for row in drawn(made) if row and row[0].startswith("power at")}
    expected = {f"power at {fps:,.0f} images/s, µW": uw for fps, uw in power.items() if fps <= most}
    assert shown == {
        name: f"{uw:,.1f}" if uw < 10_000 else f"{uw:,.0f}" for name, uw in expected.items()
    }


def test_energies_are_those_of_the_network() -> None:
    network = residual_network()
    made = plan(network, device("up5k"))
    known = report("net", made, spec=network).predicted
    assert known.fmax_mhz is not None
    spent = energy(network, made, known.fmax_mhz, device("up5k"))
    assert (known.energy_nj, known.idle_uw) == (spent.total, spent.idle_uw)
    assert known.energy_45nm_nj == energy_45nm(network, made).total
    assert known.power_uw(30) == pytest.approx(spent.power_uw(30))
    assert report("net", made).predicted.power_uw(30) is None


def test_table_shows_limits_and_takes_a_name_as_it_is() -> None:
    figures = report("net", PLAN, BUILD).measured
    assert figures is not None
    held = promises({"fps": 90_000, "luts": 1999, "mhz": None}, figures.as_dict())
    made = replace(report("x[/bold]", PLAN, BUILD), promises=held)
    rows = drawn(made)
    assert ["--fps 90000", "", "100,000", "met", ""] in rows
    assert ["--luts 1999", "", "2,000", "missed", ""] in rows
    assert not made.ok


def test_limits_are_kept_in_the_file_and_held_against_simulated_cycles(tmp_path: Path) -> None:
    made = report("net", PLAN, BUILD)
    assert made.measured is not None
    held = promises({"fps": 90_000}, made.measured.as_dict())
    made = replace(made, promises=held, advice=("more seeds",))
    save(made, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == made
    (row,) = json.loads((tmp_path / "r.json").read_text())["promises"]
    assert row == {"name": "fps", "asked": 90_000, "measured": 100_000.0, "met": True}
    (slow,) = with_cycles(made, 2000, 1000).promises
    assert (slow.measured, slow.met) == (50_000.0, False)


def test_table_of_a_device_without_multipliers() -> None:
    rows = drawn(report("net", replace(PLAN, device="ice40-hx8k")))
    assert ["DSP", "8", "–", "–", "none there"] in rows
