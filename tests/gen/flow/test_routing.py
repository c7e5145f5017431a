"""Telling a router that never ends from one that is slow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gen.flow import place
from gen.flow.build import build
from gen.flow.routing import ROWS, attempts, hopeless
from gen.support import tools
from gen.support.devices import device
from gen.support.tools import HopelessError, ToolError
from tests.support.verilog import memory, stream

START = "Info: Routing 7945 arcs.\n"


def router1(torn: int, seconds: float = 2.31) -> str:
    return (
        f"Info:    5000 |{torn:9}       3470 |  787    89 |      4186|       0.14  {seconds:9}|\n"
    )


def router2(iteration: int, overused: int) -> str:
    return f"Info:     iter={iteration} wires=24485 overused={overused} overuse=9 archfail=NA\n"


def test_router1_that_tears_up_arcs_for_ever_is_hopeless() -> None:
    assert not hopeless(START)
    assert not hopeless(START + router1(22) + router1(8945))
    assert hopeless(START + router1(22) + router1(8946))


def test_router1_that_crawls_is_hopeless() -> None:
    assert not hopeless(START + router1(22, 300.0))
    assert hopeless(START + router1(22, 300.01))


def test_router2_that_frees_no_wire_is_hopeless() -> None:
    falling = "".join(router2(i, 500 - i) for i in range(450))
    assert not hopeless(falling)
    assert hopeless(falling + router2(451, 52) * ROWS)
    assert not hopeless(falling + router2(451, 52) * ROWS + router2(452, 1))
    assert not hopeless(falling + router2(451, 0) * ROWS)


def test_another_placement_follows_one_that_cannot_be_routed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[str] = []
    run = tools.run

    def stuck_at_first(tool: str, arguments: list[str], **rest: Any) -> float:
        if tool == "nextpnr-ice40":
            seeds.append(arguments[arguments.index("--seed") + 1])
            if len(seeds) < 3:
                raise HopelessError("place and route", tool, "in circles", rest["log"])
        return run(tool, arguments, **rest)

    monkeypatch.setattr(tools, "run", stuck_at_first)
    made = build(memory(256, 16), "top", device("up5k"), bitstream=False, cache=tmp_path)
    assert seeds == ["1", "1001", "2001"]
    assert made.measured.bram == 1


def test_router2_follows_router1_on_ecp5() -> None:
    tried = [
        (flags[flags.index("--router") + 1], flags[flags.index("--seed") + 1])
        for flags in attempts(device("ulx3s-25f"), 150, 7)
    ]
    assert tried[:3] == [("router1", "7"), ("router2", "7"), ("router1", "1007")]


def test_a_placer_that_finds_no_place_gives_up_soon(tmp_path: Path) -> None:
    """100 enables of nine bits, two tiles each, where there are 160: nextpnr alone goes on long."""
    enabled = "".join(
        f"    if (r[{9 * i}]) r[{9 * i + 9}:{9 * i + 1}] <= {{s_axis_tdata, s_axis_tlast}};\n"
        for i in range(100)
    )
    body = f"""
  reg [900:0] r;
  wire [7:0] y = {{8{{^r}}}};
  always @(posedge clk) begin
    r[0] <= go;
{enabled}
  end
"""
    with pytest.raises(ToolError, match=r"legal placement for cell .* after 1\d{4} attempts"):
        build(stream(body), "top", device("ice40-hx1k"), bitstream=False, cache=tmp_path)


def test_all_placements_in_vain_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "hopeless", lambda log: True)
    run = tools.run

    def hang(tool: str, arguments: list[str], **rest: Any) -> float:
        if tool == "nextpnr-ice40":
            monkeypatch.setitem(tools.PROGRAMS, tool, "import time; time.sleep(60)")
        return run(tool, arguments, **rest)

    monkeypatch.setattr(tools, "run", hang)
    with pytest.raises(
        HopelessError, match="place and route: nextpnr-ice40: goes round in circles"
    ):
        build(memory(256, 16), "top", device("up5k"), bitstream=False, cache=tmp_path)
