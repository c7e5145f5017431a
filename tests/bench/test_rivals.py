"""What no router finished is kept; ratios say how many times better ours is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.support.cache import Cache
from gen.support.devices import device
from gen.support.tools import HopelessError, ToolError
from tests.bench.rivals import LATE, Rivalry, routed

TEXT, MHZ = "module top; endmodule", 100.0


@pytest.mark.parametrize(
    "error",
    [
        HopelessError("place", "nextpnr", "goes round in circles and was stopped", Path("log")),
        ToolError("place", "nextpnr", f"{LATE} 3600 s and was stopped", Path("log")),
    ],
)
def test_a_design_that_is_not_routed_is_tried_once(error: ToolError, tmp_path: Path) -> None:
    tries: list[int] = []

    def make() -> float:
        tries.append(1)
        raise error

    target, cache = device("ulx3s-85f"), Cache(tmp_path)
    assert [routed(TEXT, target, MHZ, cache, make) for _ in range(2)] == [str(error)] * 2
    assert len(tries) == 1
    assert routed(TEXT + "\n", target, MHZ, cache, lambda: 3.0) == 3.0
    assert routed(TEXT, target, 2 * MHZ, cache, lambda: 3.0) == 3.0


def test_other_faults_are_raised_and_not_kept(tmp_path: Path) -> None:
    def make() -> float:
        raise ToolError("place", "nextpnr", "unrecognised option", Path("log"))

    target, cache = device("ulx3s-85f"), Cache(tmp_path)
    with pytest.raises(ToolError):
        routed(TEXT, target, MHZ, cache, make)
    assert routed(TEXT, target, MHZ, cache, lambda: 3.0) == 3.0


def test_late_runs_say_so(tmp_path: Path) -> None:
    """`LATE` is how gen.support.tools begins."""
    from gen.support import tools

    with pytest.raises(ToolError) as raised:
        tools.run("yosys", ["-h"], step="s", folder=tmp_path, log=tmp_path / "log", timeout=0)
    assert raised.value.reason.startswith(LATE)


@pytest.mark.parametrize(
    ("one", "ratio"),
    [
        (Rivalry("", "COMB", 500, "FINN", 2741, fewer=True), 5.482),
        (Rivalry("", "results/s", 3200, "alkaid", 2665), 1.2008),
        (Rivalry("", "results/s", None, "alkaid", 2665), None),
        (Rivalry("", "results/s", 3200, "alkaid", None), None),
    ],
)
def test_a_ratio_above_one_is_ours(one: Rivalry, ratio: float | None) -> None:
    assert one.ratio == (None if ratio is None else pytest.approx(ratio, rel=1e-3))
