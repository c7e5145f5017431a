"""Finalists: what is planned for a network that training has made larger than its share."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gen.devices import device
from gen.estimate import Estimator
from gen.plan import DoesNotFit
from gen.tools import ToolError
from model.net import Net, export
from search import finalists, space_files
from search.finalists import FITTINGS, LESS, SPARE, _fitted, _planned
from search.objectives import Limits
from search.scoring import Setting


def setting(limits: Limits) -> Setting:
    """Of which planning sees the limits alone."""
    return cast(Setting, SimpleNamespace(limits=limits))


def test_a_network_beyond_its_share_is_folded_as_far_as_it_can_be() -> None:
    space = space_files.load("8x8")
    net = Net(space.architecture(space.sample(random.Random(1)))).stage("quantised")
    chip = Estimator(export(net, tuple(map(str, range(10)))), device("up5k"))
    free, share = setting(Limits()), 0.02
    with pytest.raises(DoesNotFit) as error:
        chip.estimate(luts=int(share * chip.device.lut), exact=True)
    found = _planned(free, chip, share)
    needed = share * error.value.ratio * chip.device.lut
    assert needed * 0.9 < found.lut <= needed / SPARE
    assert _planned(free, chip, 1.0) == chip.estimate(luts=chip.device.lut, exact=True)
    with pytest.raises(DoesNotFit):
        _planned(setting(Limits(max_luts=100)), chip, 0.5)


@pytest.mark.parametrize("failures", [1, FITTINGS])
def test_what_cannot_be_placed_is_planned_for_less(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def planned(setting: Setting, chip: Estimator, share: float) -> Any:
        asked.append(share)
        return SimpleNamespace(lut=0.8 * share * 5280, plan=None)

    def compiled(*_: Any, **__: Any) -> Any:
        if len(asked) <= failures:
            raise ToolError("place and route", "nextpnr-ice40", "no room", Path("place.log"))
        return SimpleNamespace(measured=SimpleNamespace(lut=1)), "accelerator"

    chip = SimpleNamespace(device=device("up5k"))
    monkeypatch.setattr(finalists, "estimator", lambda *_: chip)
    monkeypatch.setattr(finalists, "_planned", planned)
    monkeypatch.setattr(finalists, "compile_network", compiled)
    job = SimpleNamespace(
        setting=SimpleNamespace(board="up5k", limits=Limits()), cache="cache", points=()
    )
    if failures == FITTINGS:
        with pytest.raises(ToolError):
            _fitted(cast(Any, job), cast(Any, None), 1.0, Path())
    else:
        built: Any = _fitted(cast(Any, job), cast(Any, None), 1.0, Path())
        assert built[2] == "accelerator"
    assert asked == pytest.approx([(LESS * 0.8) ** i for i in range(min(failures + 1, FITTINGS))])
