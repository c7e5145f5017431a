# amaranth: UnusedElaboratable=no
"""Wired requantisers against their formula, in every form that they can have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.pipeline import GraphPipeline
from rtl.wired.requantise import Staircase, StaircaseForm, best_form, forms, requantised
from rtl.wired.unit import WiredLayer, WiredSums
from tests.support.wired_cases import run, samples, wanted

NARROW = Staircase(multiplier=131, offset=40_000, shift=11, lo=0, hi=15)
"""Four bits of result, a step every 16 values of the sum."""


@st.composite
def staircases(draw: st.DrawFn) -> Staircase:
    bits, signed = draw(st.integers(1, 6)), draw(st.booleans())
    return Staircase(
        multiplier=draw(st.integers(-300, 300)),
        offset=draw(st.integers(-40_000, 40_000)),
        shift=draw(st.integers(0, 13)),
        lo=-(1 << (bits - 1)) if signed else 0,
        hi=(1 << (bits - signed)) - 1,
    )


@given(staircases(), st.integers(-700, 700), st.integers(0, 1200))
def test_every_form_is_the_formula(steps: Staircase, least: int, span: int) -> None:
    bounds = least, least + span
    x = np.arange(bounds[0], bounds[1] + 1)
    tried = list(forms(steps, bounds))
    assert best_form(steps, bounds) in tried
    for form in tried:
        graph = AdderGraph([(bounds[0] + form.offset, bounds[1] + form.offset)])
        node = requantised(graph, GraphTerm(0), steps, form)
        assert (graph.evaluate(x[:, None] + form.offset, [node])[:, 0] == steps(x)).all(), form
        assert steps.lo <= graph.bounds[node][0] <= graph.bounds[node][1] <= steps.hi, form


def size(form: StaircaseForm, bounds: tuple[int, int]) -> float:
    graph = AdderGraph([(bounds[0] + form.offset, bounds[1] + form.offset)])
    return GraphPipeline(graph, [requantised(graph, GraphTerm(0), NARROW, form)], 1).counts.size


def test_few_bits_of_result_take_less_than_the_product() -> None:
    bounds = -500, 499
    form = best_form(NARROW, bounds)
    assert form.low is not None
    assert size(form, bounds) < 0.75 * size(StaircaseForm(), bounds)


def test_many_bits_of_result_are_a_product() -> None:
    steps = Staircase(multiplier=131, offset=40_000, shift=8, lo=0, hi=255)
    assert best_form(steps, (-500, 499)) == StaircaseForm()


@given(st.integers(0, 1 << 20))
def test_a_layer_in_hardware(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-8, 8, (4, 5)).tolist()
    sums = WiredSums(
        kind="add", connections=tuple(tuple(enumerate(row)) for row in rows),
        offsets=(0, 7, -7, 0), x_bits=4, x_signed=bool(seed & 1), acc_bits=9,
    )  # fmt: skip
    steps = tuple(
        Staircase(int(m), int(b), 7, 0, 15)
        for m, b in zip(rng.integers(-40, 60, 4), rng.integers(0, 4000, 4), strict=True)
    )
    layer = WiredLayer(layer_sums=sums, steps=steps, out_bits=4, out_signed=False)
    assume(layer.counts.register_bits)  # else it has no clock to simulate
    x = samples(sums, 12, seed)
    acc = wanted(sums, x)
    y = np.stack([s(acc[:, o]) for o, s in enumerate(steps)], 1)
    assert (layer.evaluate(x) == y).all()
    assert (run(layer, x, seed) == y).all()


def test_refuses_other_numbers_of_staircases() -> None:
    sums = WiredSums(
        kind="sum", connections=(((0, 1),),), offsets=(0,), x_bits=2, x_signed=False, acc_bits=4
    )
    with pytest.raises(ValueError, match="2 staircases for 1 sums: one of each"):
        WiredLayer(layer_sums=sums, steps=(NARROW, NARROW), out_bits=4, out_signed=False)
