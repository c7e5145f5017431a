"""Finalists: what is planned for a network that training has made larger than its share."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gen.planner.estimate import Estimator
from gen.support.devices import device
from gen.support.errors import DoesNotFitError
from gen.support.tools import ToolError
from model import data, store
from model.net import Net, export
from model.train import about_data
from search.evolve.objectives import Genome, Limits
from search.evolve.scoring import ScoringSetup, split
from search.run import finalists
from search.run.finalists import FITTINGS, LESS, SPARE, _fitted, _planned
from search.space import space_files
from tests.support.paths import DIGITS_HYBRID
from tests.support.search_fakes import landscape


def setting(limits: Limits) -> ScoringSetup:
    """Of which planning sees the limits alone."""
    return cast(ScoringSetup, SimpleNamespace(limits=limits))


def test_a_network_beyond_its_share_is_folded_as_far_as_it_can_be() -> None:
    space = space_files.load("8x8")
    net = Net(space.architecture(space.sample(random.Random(1)))).stage("quantised")
    chip = Estimator(export(net, tuple(map(str, range(10)))), device("up5k"))
    free, share = setting(Limits()), 0.02
    with pytest.raises(DoesNotFitError) as error:
        chip.estimate(luts=int(share * chip.device.lut), exact=True)
    planned = _planned(free, chip, share)
    needed = share * error.value.ratio * chip.device.lut
    assert needed * 0.9 < planned.lut <= needed / SPARE
    assert _planned(free, chip, 1.0) == chip.estimate(luts=chip.device.lut, exact=True)
    with pytest.raises(DoesNotFitError):
        _planned(setting(Limits(max_luts=100)), chip, 0.5)


class Builds:
    """In place of planning and building for a board: takes what is planned as that many LUTs.

    shares: of each plan. measured: what place and route says of the latest one.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, limits: Limits, planned: Callable[[float], float],
        measured: Callable[[float], float],
    ) -> None:  # fmt: skip
        self.shares: list[float] = []
        self._planned, self._measured = planned, measured
        chip = SimpleNamespace(device=device("up5k"))
        monkeypatch.setattr(finalists, "estimator", lambda *_: chip)
        monkeypatch.setattr(finalists, "predicted", self._plan)
        monkeypatch.setattr(finalists, "compile_network", self._compile)
        self._job = SimpleNamespace(
            setting=SimpleNamespace(board="up5k", limits=limits), cache="cache", points=()
        )

    def fitted(self, share: float) -> float:
        """LUTs that the finalist took in the end."""
        _, report, accelerator = _fitted(cast(Any, self._job), cast(Any, None), share, Path())
        assert cast(Any, accelerator) == "accelerator"
        return float(cast(Any, report).measured.lut)

    def _plan(self, setting: ScoringSetup, chip: Estimator, share: float, *, exact: bool) -> Any:
        self.shares.append(share)
        return SimpleNamespace(lut=self._planned(share), plan=None)

    def _compile(self, *_: Any, **__: Any) -> Any:
        took = self._measured(self._planned(self.shares[-1]))
        return SimpleNamespace(measured=SimpleNamespace(lut=took)), "accelerator"


def test_a_finalist_over_its_limit_of_luts_is_planned_for_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Place and route takes 8 % more than was predicted: the second plan leaves room for that."""
    builds = Builds(
        monkeypatch, Limits(max_luts=1000), lambda share: 1000 * share, lambda luts: 1.08 * luts
    )
    assert 950 < builds.fitted(1.0) <= 1000
    assert len(builds.shares) == 2
    builds.shares.clear()
    builds.fitted(0.9)
    assert builds.shares == [0.9], "within its limit, it is left as it is"


@pytest.mark.parametrize("failures", [1, FITTINGS])
def test_what_cannot_be_placed_is_planned_for_less(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(luts: float) -> float:
        if len(builds.shares) <= failures:
            raise ToolError("place and route", "nextpnr-ice40", "no room", Path("place.log"))
        return luts

    builds = Builds(monkeypatch, Limits(), lambda share: 0.8 * share * 5280, measured)
    if failures == FITTINGS:
        with pytest.raises(ToolError):
            builds.fitted(1.0)
    else:
        assert builds.fitted(1.0) == pytest.approx(LESS * 0.8**2 * 5280)
    assert builds.shares == pytest.approx(
        [(LESS * 0.8) ** i for i in range(min(failures + 1, FITTINGS))]
    )


def test_a_finalist_names_the_whole_data_and_says_its_classes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It was trained on a part of them: `simulate` finds the whole again, by its content."""
    digits = data.load("digits")
    network = store.load(DIGITS_HYBRID)
    network.about.update(about_data(split(digits)))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name in ("arch.json", "log.jsonl"):
        (scratch / name).write_text("{}")
    store.save(network, scratch / "network")
    unbuilt = {"predicted": {}, "measured": {}, "rtl": {}, "error": "no", "promises": []}
    monkeypatch.setattr(finalists, "_measure", lambda *_: unbuilt)
    space = space_files.load("8x8")
    point = landscape(space, Genome(space.sample(random.Random(1)), 1.0))
    job = SimpleNamespace(
        setting=SimpleNamespace(data="digits"), points=(point,), folder=str(tmp_path), round=0,
        trained=str(scratch), validation=0.9,
    )  # fmt: skip
    (row,) = finalists.build(cast(Any, job))
    about = store.load(tmp_path / "finalists" / point.key / "network").about
    assert about["data_hash"] == digits.digest != split(digits).digest
    assert (about["data"], about["data_source"]) == ("digits", digits.source)
    assert sum(map(sum, row["confusion"]["counts"])) == len(digits.test_labels) == 360
    right = sum(counts[i] for i, counts in enumerate(row["confusion"]["counts"]))
    assert (row["accuracy"]["validation"], row["accuracy"]["test"]) == (0.9, right / 360)
