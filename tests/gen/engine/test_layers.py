"""Every layer as RTL against the golden model: random configurations, with and without stalls.

Also that the schedule's cycles are those of the hardware.
"""

from __future__ import annotations

import pytest

from sim.bench import installed
from sim.bench.streams import run_streams
from tests.support.layer_cases import LayerCase, layer_case

LAYERS = 200
BATCH = 10
IMAGES = 3


def batch(first: int) -> list[LayerCase]:
    return [layer_case(seed, IMAGES) for seed in range(first, first + BATCH)]


def check(simulator: str, first: int) -> None:
    missing = installed.missing(simulator)
    if missing:
        pytest.skip(missing)
    cases = batch(first)
    streams = [case.stream for case in cases]
    for stall in (0.0, 0.4):
        results = run_streams(
            streams,
            simulator=simulator,
            seed=first,
            stall_in=stall,
            stall_out=stall / 2,
            timeout=5000,
        )
        for case, result in zip(cases, results, strict=True):
            assert result.ok, f"{case.what}: {result}"
            if stall == 0.0:
                assert result.latency == case.cycles.latency, case.what
                assert result.interval == case.cycles.interval, case.what


@pytest.mark.parametrize("first", range(0, LAYERS, BATCH))
def test_layers_equal_golden_model_in_icarus(first: int) -> None:
    check("icarus", first)


@pytest.mark.parametrize("first", [1000])
def test_layers_equal_golden_model_in_verilator(first: int) -> None:
    check("verilator", first)
