"""Modules that stand in a design many times: nothing is said of the components left aside."""

from __future__ import annotations

import gc
import re
import warnings

import pytest

from gen.engine.elaborate import elaborate
from gen.planner.planner import plan
from gen.support.devices import device
from tests.support.layer_chains import LAYERS, chain


@pytest.mark.parametrize("size", [1, 4], ids=["direct windows", "sliding windows"])
@pytest.mark.parametrize("kind", ["mult", "shift", "add"])
def test_nothing_is_said_of_components_that_are_written_once(kind: str, size: int) -> None:
    network = chain(kind, size)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = elaborate(network, plan(network, device("ulx3s-85f"), fps=100_000))
        gc.collect()
    assert not [str(one.message) for one in told]
    instances = re.findall(r"^  (\S+) +\S+ \($", made.verilog, re.MULTILINE)
    assert len(instances) > len(set(instances)) > LAYERS
