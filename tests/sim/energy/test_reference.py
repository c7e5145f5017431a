"""Energy from toggles: by hand, of the designs that were measured, and of a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gen.compile import planned
from gen.cost.power import power, published
from gen.support.devices import device
from model.errors import RequestError
from sim.energy.activity import Toggles
from sim.energy.prove import check
from sim.energy.published import fit, simulate
from sim.energy.reference import activity_energy, parts
from tests.support.networks import residual_network

NETS = {"lut": 1000.0, "ff": 400.0, "carry": 50.0, "bram": 20.0, "dsp": 30.0}
TOGGLES = Toggles(200.0, NETS, 100.0, 10.0, {})


def test_parts_by_hand() -> None:
    of = power(device("up5k"))
    energy = parts(TOGGLES, 100, 20.0, of)
    assert energy.static == pytest.approx(of.static_uw.value * 5 / 1e3)  # 100 cycles are 5 µs
    assert energy.clock == pytest.approx(100 * of.clock_pj.value / 1e3)
    toggle = of.toggle_pj.value / 1e3
    assert energy.logic == pytest.approx(toggle * (1050 + of.glitch.value * 100))
    assert energy.registers == pytest.approx(toggle * 400)
    assert energy.memories == pytest.approx(of.bram_pj.value * 10 / 1e3 + toggle * 20)
    assert energy.multipliers == pytest.approx(of.dsp_pj.value * 30 / 1e3)
    assert energy.power_uw(200_000) == pytest.approx(energy.total * 200)  # back to back
    assert energy.power_uw(0) == pytest.approx(of.static_uw.value + 20 * of.clock_pj.value)


@pytest.mark.slow
def test_coefficients_are_those_of_the_measured_designs(tmp_path: Path) -> None:
    runs = simulate(cache=tmp_path / "cache", root=tmp_path / "simulators")
    assert runs[0].nets["ff"] == pytest.approx(2, rel=0.01)  # as a counter's bits change
    assert sum(runs[2].cells[kind] for kind in ("dsp",)) == 1
    made, known = fit(*runs, published()), power(device("up5k"))
    assert made.toggle_pj == pytest.approx(known.toggle_pj.value, rel=0.02)
    assert made.glitch == pytest.approx(known.glitch.value, rel=0.02)
    assert made.dsp_pj == pytest.approx(known.dsp_pj.value, rel=0.02)


def test_the_fit_gives_back_what_was_measured() -> None:
    still = dict.fromkeys(NETS, 0.0)
    counter = Toggles(1, still | {"lut": 2.0, "ff": 2.0}, 0.0, 0.0, {})
    product = Toggles(1, still | {"lut": 52.0, "ff": 8.0, "carry": 1.0}, 40.0, 0.0, {})
    block = Toggles(1, still | {"lut": 5.0, "ff": 8.0, "dsp": 6.0}, 0.0, 0.0, {})
    said = {"counter": 0.4, "product_lut": 30.0, "product_dsp": 20.0}
    made = fit(counter, product, block, said)
    known = power(device("up5k"))
    own = {name: replace(getattr(known, name), value=v) for name, v in vars(made).items()}
    spent = [
        parts(one, 1, 12.0, replace(known, **own)).activity for one in (counter, product, block)
    ]
    assert spent[0] == pytest.approx(0.4e-3)
    assert spent[1] - spent[0] == pytest.approx(30e-3)
    assert spent[2] - spent[0] == pytest.approx(20e-3)


@pytest.mark.slow
def test_a_network_takes_what_its_parts_take(tmp_path: Path) -> None:
    network = residual_network()
    plan, rtl = planned(network, board="up5k")
    shape = network.nodes[0].shape  # type: ignore[union-attr]
    images = torch.randint(0, 64, (2, *shape), generator=torch.Generator().manual_seed(1))
    made = activity_energy(
        network, plan, rtl, images, 40.0, cache=tmp_path / "cache", root=tmp_path / "simulators"
    )
    assert made.images == 2
    assert made.toggles.cells["bram"] == plan.cost.bram
    assert all(made.toggles.nets[kind] > 0 for kind in ("lut", "ff"))
    assert made.energy == parts(made.toggles, plan.cycles_interval, 40.0, power(device("up5k")))
    said = made.as_dict()
    assert said["energy_nj"] == pytest.approx(sum(said["parts_nj"].values()))
    assert said["coefficients"]["bram_pj"]["origin"] == "scaled"


def test_energy_is_counted_of_the_netlist() -> None:
    check("netlist")
    with pytest.raises(RequestError, match=r"--energy with --level rtl: must be netlist"):
        check("rtl")
