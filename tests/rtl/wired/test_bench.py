# amaranth: UnusedElaboratable=no
"""The benches of wired layers measure what computes the golden model's scores."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from tests.bench import alkaid as bench
from tests.bench.wired import CASES, Case, dense
from tests.support.wired_cases import samples, wanted


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(0, 16, (50, 1, 1, 16)))


def test_our_datapath_equals_the_golden_model(images: torch.Tensor) -> None:
    path = bench.ours(bench.jets(), images)  # asserts it
    assert (path.bits_in, path.bits_out) == (64, 40)


@pytest.mark.skipif(not importlib.util.find_spec("alkaid"), reason="needs alkaid")
def test_alkaid_is_asked_for_the_same_integers(images: torch.Tensor) -> None:
    path = bench.theirs(bench.jets(), images)  # asserts it
    assert path.bits_in == 64


def test_images_of_the_bench_reach_many_scores() -> None:
    """Activations are neither all clipped nor all the same."""
    network = bench.digits()
    values = np.random.default_rng(1).integers(0, 16, (40, 8, 8, 1))
    scores = bench.Layers(network).evaluate(values)
    assert len(np.unique(scores)) > 50


@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_dense_cases_are_sums_of_their_weights(case: Case) -> None:
    sums = dense(case)
    x = samples(sums, 50, 1)
    assert (sums.evaluate(x) == wanted(sums, x)).all()
