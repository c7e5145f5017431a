"""LUTs and flip-flops counted in a netlist are those that nextpnr packs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gen.calibrate.characterise import packed
from gen.calibrate.gowin_packing import flip_flops, luts
from gen.engine.elaborate import elaborate
from gen.engine.module_name import TOP
from gen.flow.synth import synthesise
from gen.planner.planner import plan
from gen.support.cache import Cache
from gen.support.devices import device
from tests.support.layer_chains import chain


@pytest.mark.parametrize("style", ["distributed", "block"])
@pytest.mark.parametrize("kind", ["add", "shift"])
def test_a_netlist_takes_what_nextpnr_packs(kind: str, style: str, tmp_path: Path) -> None:
    network, target = chain(kind, 4), device("tang-nano-9k")
    chosen = plan(network, target, fps=50_000)
    stages = tuple(
        replace(one, fold=replace(one.fold, line_buffer=style)) if one.kind == kind else one
        for one in chosen.stages
    )
    text = elaborate(network, replace(chosen, stages=stages)).verilog
    netlist = synthesise(text, TOP, target, cache=Cache(tmp_path))
    assert netlist.cells["ALU"]
    assert bool(netlist.cells.get("RAM16SDP4")) == (style == "distributed")
    got = packed(netlist, target)
    assert (luts(netlist), flip_flops(netlist)) == (got["lut"], got["ff"])
