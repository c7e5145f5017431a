"""Verilog to bitstream on every family: counts, cache, and requests that cannot be met."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen.calibrate.characterise import packed
from gen.flow import place
from gen.flow.build import build
from gen.flow.place import RESOURCES
from gen.flow.synth import FEWEST, synthesise
from gen.support.cache import Cache
from gen.support.devices import DEVICES, RESOURCE_NAMES, device
from gen.support.errors import DoesNotFitError
from gen.support.tools import ToolError
from tests.support.verilog import memory, products

SMALL = memory(512, 16)


@pytest.mark.parametrize(
    ("name", "suffix", "brams"), [("ulx3s-25f", "bit", 1), ("up5k", "bin", 2), ("gw1nr-9", "fs", 1)]
)
def test_build_measures_and_packs(name: str, suffix: str, brams: int, tmp_path: Path) -> None:
    steps: list[str] = []
    made = build(SMALL, "top", device(name), cache=tmp_path / "a", progress=steps.append)
    m = made.measured
    assert steps == ["synthesis", "place and route", "bitstream"]
    assert (m.bram, m.dsp, m.ram16x4) == (brams, 0, 0)
    assert m.ff == 9 + 16 + 16 + 10  # address, fill, sum, output
    assert 2 * 16 < m.lut < 150
    assert 40 < m.fmax_mhz < 600
    assert m.timing_met == (m.fmax_mhz >= device(name).mhz)
    assert made.files["bitstream"].suffix == f".{suffix}"
    assert made.files["bitstream"].stat().st_size > 20_000
    assert all(path.is_file() for path in made.files.values())
    assert set(made.seconds) == {"synthesis", "place", "bitstream"}
    assert not made.cached

    again = build(SMALL, "top", device(name), cache=tmp_path / "a")
    assert again.cached
    assert (again.measured, again.files, again.seconds) == (m, made.files, made.seconds)

    other = build(SMALL, "top", device(name), cache=tmp_path / "b")
    assert not other.cached
    assert other.files["bitstream"].read_bytes() == made.files["bitstream"].read_bytes()


@pytest.mark.parametrize("name", ["ulx3s-25f", "up5k", "gw1nr-9"])
def test_routed_designs_have_the_counts_of_packed_ones(name: str, tmp_path: Path) -> None:
    """What nextpnr reports after routing is another figure on Gowin."""
    target = device(name)
    style = "distributed" if target.distributed_ram else "block"
    text = memory(16, 16).replace("block", style)
    made = build(text, "top", target, bitstream=False, cache=tmp_path).measured
    counts = packed(synthesise(text, "top", target, cache=Cache(tmp_path)), target)
    assert {figure: getattr(made, figure) for figure in counts} == counts
    assert (made.ram16x4 > 0) == target.distributed_ram


@pytest.mark.slow(sample=1)
@pytest.mark.parametrize("name", DEVICES)
def test_every_device_builds_and_has_what_it_says(name: str, tmp_path: Path) -> None:
    target = device(name)
    made = build(SMALL, "top", target, cache=tmp_path)
    utilisation = json.loads(made.files["report"].read_text())["utilization"]
    for figure, parts in RESOURCES[target.family].items():
        available = utilisation.get(next(iter(parts)), {"available": 0})["available"]
        if name == "lfe5u-12f":  # the same die as the 25F, sold as half of it
            assert available >= getattr(target, figure)
        else:
            assert available == getattr(target, figure), figure


def test_fastest_seed_is_taken(tmp_path: Path) -> None:
    target = device("ulx3s-25f")
    made = build(SMALL, "top", target, seeds=3, bitstream=False, cache=tmp_path)
    steps = Cache(tmp_path)
    netlist = synthesise(SMALL, "top", target, cache=steps)
    rates = {
        seed: place.place(
            netlist, target, mhz=target.mhz, seed=seed, cache=steps, timeout=60
        ).fmax_mhz
        for seed in (1, 2, 3)
    }
    assert made.measured.fmax_mhz == max(rates.values())
    assert rates[made.measured.seed] == made.measured.fmax_mhz
    assert len(set(rates.values())) > 1
    assert "bitstream" not in made.files


def test_asking_for_too_fast_a_clock_is_not_an_error(tmp_path: Path) -> None:
    made = build(SMALL, "top", device("up5k"), mhz=500, bitstream=False, cache=tmp_path)
    assert (made.measured.mhz, made.measured.timing_met) == (500, False)


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize(
    ("name", "verilog", "resource", "used", "available"),
    [
        ("up5k", memory(256, 16 * 31), "bram", 31, 30),
        ("lfe5u-12f", memory(512, 36 * 33), "bram", 33, 32),
        ("up5k", products(17), "dsp", 9, 8),
        ("gw1nr-9", memory(512, 36 * 27), "bram", 27, 26),
    ],
)
def test_what_does_not_fit_is_named(
    name: str, verilog: str, resource: str, used: int, available: int, tmp_path: Path
) -> None:
    with pytest.raises(DoesNotFitError) as error:
        build(verilog, "top", device(name), cache=tmp_path)
    assert (error.value.used, error.value.available) == (used, available)
    assert error.value.resource == RESOURCE_NAMES[resource]
    assert str(error.value).startswith(
        f"does not fit {device(name).name}: {used} {RESOURCE_NAMES[resource]} used, "
        f"{available} available, {used - available} too many; "
    )
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "kind"), [("if (c) q <= d", "SB_DFFE"), ("q <= c ? 0 : d", "SB_DFFSR")]
)
def test_few_flip_flops_of_an_ice40_share_no_signal(change: str, kind: str, tmp_path: Path) -> None:
    """An enable's or a reset's way to their tile is slow; the LUT before each is free."""
    for bits, sharing in ((FEWEST - 1, 0), (FEWEST, FEWEST)):
        ports = f"input clk, input c, input [{bits - 1}:0] d, output reg [{bits - 1}:0] q"
        text = f"module top({ports});\nalways @(posedge clk) {change};\nendmodule\n"
        cells = synthesise(text, "top", device("hx8k"), cache=Cache(tmp_path)).cells
        assert cells.get(kind, 0) == sharing
        assert cells.get("SB_DFF", 0) + sharing == bits


def test_wrong_verilog_is_answered_with_yosys_own_line(tmp_path: Path) -> None:
    wrong = SMALL.replace("endmodule", "endmodul")
    with pytest.raises(ToolError, match=r"synthesis: yosys: design\.v:\d+: ERROR: syntax error"):
        build(wrong, "top", device("up5k"), cache=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["failed"]


def test_wrong_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="top module 'a b': must be a plain Verilog name"):
        build(SMALL, "a b", device("up5k"), cache=tmp_path)
    with pytest.raises(ValueError, match="0 seeds: at least 1 placement is needed"):
        build(SMALL, "top", device("up5k"), seeds=0, cache=tmp_path)
    with pytest.raises(ToolError, match="missing"):
        build(SMALL, "missing", device("up5k"), cache=tmp_path)
