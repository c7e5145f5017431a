"""Finalists: what is planned for a network that training has made larger than its share."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import cast

import pytest

from gen.devices import device
from gen.estimate import Estimator
from gen.plan import DoesNotFit
from model.net import Net, export
from search import space_files
from search.finalists import SPARE, _planned
from search.objectives import Limits
from search.scoring import Setting


def setting(limits: Limits) -> Setting:
    """Of which planning sees the limits alone."""
    return cast(Setting, SimpleNamespace(limits=limits))


def test_a_network_beyond_its_share_is_folded_as_far_as_it_can_be() -> None:
    space = space_files.load("8x8")
    net = Net(space.architecture(space.sample(random.Random(1)))).stage("quantised")
    chip = Estimator(export(net, [str(i) for i in range(10)]), device("up5k"))
    free, share = setting(Limits()), 0.02
    with pytest.raises(DoesNotFit) as error:
        chip.estimate(luts=int(share * chip.device.lut), exact=True)
    found = _planned(free, chip, share)
    needed = share * error.value.ratio * chip.device.lut
    assert needed * 0.9 < found.lut <= needed / SPARE
    assert _planned(free, chip, 1.0) == chip.estimate(luts=chip.device.lut, exact=True)
    with pytest.raises(DoesNotFit):
        _planned(setting(Limits(max_luts=100)), chip, 0.5)
