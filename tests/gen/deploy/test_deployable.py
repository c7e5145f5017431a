"""A network made ready for a board: its limits are promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from gen.boards import board
from gen.deploy import deployable
from gen.deploy.board_plan import LUTS
from gen.deploy.bundle import Bundle
from gen.deploy.deployable import prepare, target
from gen.flow.build import MeasuredCost
from gen.host.manifest import Manifest
from gen.plan.plan import save
from gen.planner.planner import plan
from gen.support.devices import device
from gen.support.errors import PlanError
from gen.support.promises import promises
from sim.board.deployment import Deployment
from tests.support.networks import residual_network


def test_limits_of_a_deployment_are_promises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Place and route, faked, takes more and reaches less than was asked for."""
    network, one = residual_network(), board("ulx3s-25f")
    image = np.zeros((7, 6, 2), np.int64)
    cost = MeasuredCost(lut=8100, ff=1, dsp=2, bram=3, ram16x4=0, fmax_mhz=13, mhz=12, seed=1)
    build = SimpleNamespace(measured=cost)
    built = SimpleNamespace(clock_hz=12_000_000, baud=1_000_000, build=build)
    monkeypatch.setattr(deployable, "build_for_board", lambda *_, **__: built)
    made = prepare(network, one, image=image, place=True, luts=8000, dsps=2, fps=100)
    rate = 12e6 / made.plan.cycles_interval
    assert [(p.name, p.measured, p.met) for p in made.promises] == [
        ("fps", rate, rate >= 100), ("dsps", 2, True), ("luts", 8100, False),
    ]  # fmt: skip
    assert made.advice[0].startswith("--luts 8000 missed: 8,100 LUTs; ")
    assert made.plan.cost.lut <= 8000 - LUTS["ecp5"], "the link is part of the design"

    free = prepare(network, one, image=image, place=False, fps=100)
    assert [(p.name, p.measured, p.met) for p in free.promises] == [("fps", None, None)]
    with pytest.raises(PlanError, match="--luts 900: the serial link alone takes 1500 on ulx3s-25"):
        prepare(network, one, image=image, place=False, luts=900)

    missed = promises({"luts": 4000}, {"lut": 4100})
    bundle = Bundle(
        tmp_path, cast(Manifest, SimpleNamespace(bitstream="b")), None, missed, ("more",)
    )
    failed = Deployment(bundle)
    assert not failed.ok
    assert failed.as_dict()["promises"] == [missed[0].as_dict()]
    assert failed.as_dict()["advice"] == ["more"]
    assert Deployment(replace(bundle, promises=())).ok


def test_where_a_network_can_go_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its plan only where the link leaves room for that: the command is to be pasted."""
    network, file = residual_network(), tmp_path / "plan.json"

    def told(name: str, plan: Path | None = None) -> tuple[str, bool] | None:
        goal = target(network, name, plan)
        return goal and (goal[0].name, goal[1])

    assert told("icestick") is None
    made = plan(network, device("up5k"), fps=100)
    save(made, file)
    assert told("up5k", file) == ("icebreaker", True)
    assert told("icesugar", file) == ("icesugar", True)
    monkeypatch.setattr(deployable, "plan_deployable", lambda network, board: made)
    save(replace(made, cost=replace(made.cost, lut=4000)), file)
    assert told("up5k", file) == told("up5k") == ("icebreaker", False)
