"""prove: all levels that can be had, those that cannot with their reason, and what was answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import sim.verify.prove
from gen.compile import planned as planned_before
from gen.recover import recover
from gen.recover.ice40 import VLOG
from gen.support import tools
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from model import data, golden, store
from model.data import Dataset
from model.spec import Network
from sim.verify.prove import Verification, prove
from sim.verify.simulation_result import SimulationResult
from tests.support.paths import DIGITS_HYBRID

IMAGES = 40


def result(level: str, answers: tuple[int | None, ...]) -> SimulationResult:
    return SimulationResult(
        level, "icarus", len(answers), 0, 100, 50, None, None, 0, 0, 4000, 1e4, 1.5, answers
    )


@pytest.fixture
def network() -> Network:
    return store.load(DIGITS_HYBRID)


@pytest.fixture
def digits() -> Dataset:
    return data.load("digits")


@pytest.fixture
def simulated(
    monkeypatch: pytest.MonkeyPatch, network: Network, digits: Dataset, tmp_path: Path
) -> list[str]:
    """Levels that were simulated: in place of that, they answer as the golden model does."""
    images = torch.from_numpy(digits.test_images[:IMAGES])
    scores = golden.run(network, images)[network.nodes[-1].name].flatten(1)
    answers: list[int | None] = scores.argmax(1).tolist()
    levels: list[str] = []

    def simulate(*_: Any, level: str, **__: Any) -> SimulationResult:
        levels.append(level)
        return result(level, tuple(answers))

    monkeypatch.setattr(sim.verify.prove, "at_level", lambda rtl, *_, **__: rtl)
    monkeypatch.setattr(sim.verify.prove, "simulate", simulate)
    monkeypatch.chdir(tmp_path)
    return levels


def shown(network: Network, digits: Dataset, board: str) -> Verification:
    return prove(network, digits, board=board, level="all", images=IMAGES)


def test_levels_that_a_family_does_not_have_are_named_with_the_reason(
    network: Network, digits: Dataset, simulated: list[str]
) -> None:
    made = shown(network, digits, "tang-nano-9k")
    assert simulated == ["rtl", "netlist", "bitstream"]
    row = made.as_dict()
    assert [level["level"] for level in row["levels"]] == simulated
    assert row["left_out"] == [
        {
            "level": "routed",
            "why": "gw1nr-9: only of ECP5 is the netlist read that routing leaves",
        }
    ]
    assert str(made.left_out[0]) == (
        "level routed was left out: gw1nr-9: only of ECP5 is the netlist read that routing leaves"
    )


def test_levels_whose_tools_are_not_installed_are_named_with_the_way_out(
    network: Network, digits: Dataset, simulated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tools.PACKAGES, "nextpnr-ecp5", "a-package-that-nobody-has")
    made = shown(network, digits, "ulx3s-25f")
    assert simulated == ["rtl", "netlist"]
    why = "nextpnr-ecp5 is missing: pip install a-package-that-nobody-has"
    assert [(one.level, one.why) for one in made.left_out] == [("routed", why), ("bitstream", why)]


def test_a_bitstream_that_would_need_a_plan_that_does_not_fit_is_left_out(
    network: Network, digits: Dataset, simulated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "missing", lambda tool: None)  # icebox_vlog
    whole = planned_before

    def planned(*given: Any, dsps: int | None = None, **rest: Any) -> Any:
        if dsps == 0:
            raise DoesNotFitError("does not fit ice40-up5k: it needs 6000 LUTs")
        return whole(*given, **rest)

    monkeypatch.setattr(sim.verify.prove, "planned", planned)
    made = shown(network, digits, "up5k")
    assert simulated == ["rtl", "netlist"]
    assert made.ok
    assert [str(one) for one in made.left_out][1:] == [
        "level bitstream was left out: without multipliers the network does not fit ice40-up5k: it "
        "needs 6000 LUTs"
    ]
    with pytest.raises(DoesNotFitError):
        prove(network, digits, board="up5k", level="bitstream", images=IMAGES)


def test_what_the_hardware_answered_is_counted_by_class(
    network: Network, digits: Dataset, simulated: list[str]
) -> None:
    made = prove(network, digits, board="up5k", images=IMAGES)
    row, labels = made.as_dict(), digits.test_labels[:IMAGES].tolist()
    assert made.confusion is not None
    assert sum(map(sum, row["confusion"]["counts"])) == IMAGES
    assert [sum(counts) for counts in row["confusion"]["counts"]] == [
        labels.count(index) for index in range(10)
    ]
    assert row["per_class"] == made.confusion.per_class
    assert row["accuracy"] == sum(
        counts[i] for i, counts in enumerate(row["confusion"]["counts"])
    ) / IMAGES  # fmt: skip
    assert "answers" not in row
    assert simulated == ["rtl"]


def test_answers_that_are_missing_are_not_counted(
    network: Network, digits: Dataset, simulated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = (None, *range(3))
    monkeypatch.setattr(sim.verify.prove, "simulate", lambda *_, **__: result("rtl", answers))
    row = prove(network, digits, board="up5k", images=4).as_dict()
    assert (row["accuracy"], row["per_class"], row["confusion"]) == (None, None, None)


def test_the_tools_of_a_level_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "missing", lambda tool: f"no {tool}")
    assert recover.absent(device("up5k"), "rtl") is None
    assert recover.absent(device("up5k"), "netlist") == "no yosys"
    monkeypatch.setattr(tools, "missing", lambda tool: tool if tool == VLOG else None)
    assert recover.absent(device("up5k"), "bitstream") == VLOG
