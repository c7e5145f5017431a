"""An ECP5 bitstream against what it was made from: equal, or it is said what differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gen.flow.build import Build, build
from gen.recover import recover
from gen.recover.ecp5 import as_verilog
from gen.recover.ecp5_config import BitstreamComparison, DisagreementError, compare_bitstream, parse
from gen.support.cache import Cache
from gen.support.devices import device
from sim.verify.levels import with_models
from tests.support.block_designs import BODIES, design
from tests.support.netlist_bench import compare, need_icarus


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A ROM in block RAM, a multiplier, and some logic."""
    folder = tmp_path_factory.mktemp("ecp5")
    text = design(1024, 18, BODIES["free"])
    return build(text, "top", device("ulx3s-25f"), cache=folder, routed_netlist=True)


def changed(built: Build, folder: Path, change: Callable[[dict[str, Any]], None]) -> Build:
    """The build with another routed netlist."""
    netlist = json.loads(built.files["routed"].read_text())
    change(netlist["modules"]["top"]["cells"])
    (folder / "routed.json").write_text(json.dumps(netlist))
    return replace(built, files={**built.files, "routed": folder / "routed.json"})


@pytest.mark.parametrize("body", ["free", "operand"])
def test_routed_netlist_does_what_the_verilog_says(body: str, tmp_path: Path) -> None:
    need_icarus()
    text, target = design(1024, 18, BODIES[body], write=True), device("ulx3s-25f")
    made = build(text, "top", target, bitstream=False, routed_netlist=True, cache=tmp_path)
    routed = with_models(recover.routed(made, target, cache=Cache(tmp_path)))
    assert "DP16KD" in routed
    assert "MULT18X18D" in routed
    wrong, changes = compare(text, routed, tmp_path)
    assert wrong == 0
    assert changes > 500


def test_bitstream_holds_what_was_routed(built: Build, tmp_path: Path) -> None:
    config = parse(built.files["log"].with_name("routed.config").read_text())
    comparison = compare_bitstream(built, Cache(tmp_path))
    size = built.files["bitstream"].stat().st_size
    assert comparison == BitstreamComparison(
        size, comparison.arcs, comparison.luts, comparison.functions, 2048
    )
    assert 0.8 * len(config.arcs) < comparison.arcs <= len(config.arcs)
    assert 0 < comparison.functions <= comparison.luts <= len(config.luts)


def test_another_function_of_a_lookup_table_is_found_out(built: Build, tmp_path: Path) -> None:
    def invert(cells: dict[str, Any]) -> None:
        lut = next(c for c in cells.values() if c["type"] == "TRELLIS_COMB")
        bits = lut["parameters"]["INITVAL"]
        lut["parameters"] |= {"INITVAL": bits.translate({48: "1", 49: "0"}), "MODE": "LOGIC"}

    with pytest.raises(DisagreementError, match=r"SLICE.*in the routed netlist"):
        compare_bitstream(changed(built, tmp_path, invert), Cache(tmp_path))


def test_other_contents_of_block_ram_are_found_out(built: Build, tmp_path: Path) -> None:
    def clear(cells: dict[str, Any]) -> None:
        ram = next(c for c in cells.values() if c["type"] == "DP16KD")
        ram["parameters"]["INITVAL_05"] = "0" * 320

    with pytest.raises(DisagreementError, match="block RAM are not those of the routed netlist"):
        compare_bitstream(changed(built, tmp_path, clear), Cache(tmp_path))


def test_a_connection_that_is_missing_is_found_out(built: Build, tmp_path: Path) -> None:
    config = built.files["log"].with_name("routed.config").read_text()
    arc = next(line for line in config.splitlines() if line.startswith("arc: A0 "))
    other = "arc: A0 " + ("V00B0000" if arc.split()[2] != "V00B0000" else "V00T0000")
    (tmp_path / "routed.config").write_text(config.replace(arc, other, 1))
    mixed = replace(built, files={**built.files, "log": tmp_path / "place.log"})
    with pytest.raises(DisagreementError, match="is not connected"):
        compare_bitstream(mixed, Cache(tmp_path))


def test_another_bitstream_is_found_out(built: Build, tmp_path: Path) -> None:
    text = design(1024, 18, BODIES["free"], write=True)
    other = build(text, "top", device("ulx3s-25f"), cache=tmp_path)
    mixed = replace(built, files={**built.files, "bitstream": other.files["bitstream"]})
    with pytest.raises(DisagreementError, match="routed was"):
        compare_bitstream(mixed, Cache(tmp_path))


def test_cell_without_a_model_is_named(built: Build, tmp_path: Path) -> None:
    def rename(cells: dict[str, Any]) -> None:
        next(iter(cells.values()))["type"] = "ALU54B"

    files = changed(built, tmp_path, rename).files
    with pytest.raises(ValueError, match="ALU54B: no model of this cell"):
        as_verilog(files["routed"], "top", Cache(tmp_path))
