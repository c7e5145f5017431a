# amaranth: UnusedElaboratable=no
"""Wired sums against the definition of their kind: as graphs, and as hardware that is stalled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rtl.wired.connections import wired_kinds
from rtl.wired.unit import WiredSums
from tests.support.wired_cases import run, samples, wanted

KINDS = ("mult", "shift", "add", "sum", "max")
USUAL: dict[str, Any] = {
    "kind": "mult", "connections": (((0, 3), (1, -5)), ((1, 7),)), "offsets": (0, 4),
    "inputs": 2, "x_bits": 4, "x_signed": False, "acc_bits": 12,
}  # fmt: skip


def weight(kind: str, bits: int) -> st.SearchStrategy[int]:
    if kind == "shift":
        sizes = st.integers(0, bits - 1).map(lambda e: 1 << e)
        return st.one_of(st.just(0), sizes, sizes.map(lambda size: -size))
    return st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


@st.composite
def blocks(draw: st.DrawFn) -> WiredSums:
    kind, inputs = draw(st.sampled_from(KINDS)), draw(st.integers(1, 8))
    bits = draw(st.integers(2, 8))
    row = st.dictionaries(st.integers(0, inputs - 1), weight(kind, bits), min_size=1)
    rows = draw(st.lists(row, min_size=1, max_size=6))
    offset = st.one_of(st.just(0), st.integers(-200, 200))
    return WiredSums(
        kind=kind,
        connections=tuple(tuple(row.items()) for row in rows),
        offsets=tuple(draw(offset) for _ in rows),
        inputs=inputs,
        x_bits=draw(st.integers(1, 9)),
        x_signed=draw(st.booleans()),
        acc_bits=24,
        levels=draw(st.integers(1, 3)),
    )


@given(blocks(), st.integers(0, 1 << 20))
def test_the_graph_computes_the_sums(block: WiredSums, seed: int) -> None:
    x = samples(block, 200, seed)
    assert (block.evaluate(x) == wanted(block, x)).all()


@given(blocks(), st.integers(0, 1 << 20))
def test_the_hardware_computes_the_sums_in_its_latency(block: WiredSums, seed: int) -> None:
    assume(block.counts.register_bits)  # else it has no clock to simulate
    x = samples(block, 12, seed)
    assert (run(block, x, seed) == wanted(block, x)).all()


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_inputs_of_two_taps(kind: str, signed: bool) -> None:
    """Every weight of 4 bits beside another, and every pair of inputs of 3 bits."""
    weights = [w for w in range(-8, 8) if kind != "shift" or w == 0 or w & -w == abs(w)]
    block = WiredSums(
        kind=kind,
        connections=tuple(((0, a), (1, b)) for a in weights for b in weights),
        offsets=(0,) * len(weights) ** 2,
        inputs=2,
        x_bits=3,
        x_signed=signed,
        acc_bits=8,
    )
    lo, hi = block.x_range
    x = np.stack(np.meshgrid(*[np.arange(lo, hi + 1)] * 2), -1).reshape(-1, 2)
    assert (block.evaluate(x) == wanted(block, x)).all()


def test_a_layer_is_added_with_fewer_adders_than_digits() -> None:
    """Sharing: 32 × 32 weights of 4 bits have some 1,400 digits, and take 0.8 adders a weight."""
    rng = np.random.default_rng(0)
    weights = rng.integers(-8, 8, (32, 32))
    block = WiredSums(
        **USUAL
        | {
            "connections": tuple(
                tuple((i, int(w)) for i, w in enumerate(row) if w) for row in weights
            ),
            "offsets": (0,) * 32,
            "inputs": 32,
            "acc_bits": 14,
        }
    )
    assert block.counts.adders < 0.82 * weights.size
    assert block.latency == 6  # 60 terms in 2^6: sharing costs no level
    assert block.counts.register_bits < 7 * weights.size


def test_outputs_that_are_alike_are_made_once() -> None:
    row = ((0, 3), (1, -5))
    adders = [
        WiredSums(**USUAL | {"connections": (row,) * n, "offsets": (0,) * n}).counts.adders
        for n in (2, 5)
    ]
    assert adders[0] == adders[1]


@pytest.mark.parametrize("kind", ["mult", "shift", "add", "sum"])
def test_a_sum_of_nothing_is_its_offset(kind: str) -> None:
    block = WiredSums(**USUAL | {"kind": kind, "connections": (((0, 1),), ()), "offsets": (0, -9)})
    x = samples(block, 10, 1)
    assert (block.evaluate(x) == wanted(block, x)).all()
    assert block.ranges[1] == (-9, -9)


@given(blocks())
def test_the_ranges_are_reached(block: WiredSums) -> None:
    """By some inputs at the ends of their range, or, of add, at a weight."""
    lo, hi = block.x_range
    for row, offset, ends in zip(block.connections, block.offsets, block.ranges, strict=True):
        one = replace(block, connections=(row,), offsets=(offset,))
        x = np.zeros((2, block.inputs), np.int64)
        for i, w in row:
            near = min(max(w, lo), hi)
            far = hi if abs(hi - w) >= abs(lo - w) else lo
            places = {"add": (near, far), "mult": (hi, lo) if w > 0 else (lo, hi)}
            best = places.get("mult" if block.kind == "shift" else block.kind, (hi, lo))
            x[0, i], x[1, i] = best
        sums = wanted(one, x)[:, 0]
        assert (sums[1], sums[0]) == ends


def test_distances_to_weights_that_are_not_positive_take_no_function_of_x() -> None:
    row = ((0, 0), (1, -5))
    block = WiredSums(**USUAL | {"kind": "add", "connections": (row,), "offsets": (0,)})
    assert block.counts.luts == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "divide"}, "kind 'divide' cannot be wired: choose one of add, max, mult, shift"),
        (
            {"offsets": (1,)},
            "2 rows of connections and 1 offsets: one of each an output",
        ),
        ({"x_bits": 17}, "x_bits must be 1 to 16, not 17"),
        ({"acc_bits": 1}, "acc_bits must be 2 to 64, not 1"),
        ({"levels": 0}, "levels must be 1 to 64, not 0"),
        ({"inputs": 1}, r"output 0: its inputs must be different ones of 0 to 0, not \[0, 1\]"),
        (
            {"connections": (((0, 1), (0, 2)), ((1, 1),))},
            r"output 0: its inputs must be different ones of 0 to 1, not \[0, 0\]",
        ),
    ],
)
def test_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _ = WiredSums(**USUAL | change).built


def test_the_kinds() -> None:
    assert wired_kinds() == tuple(sorted(KINDS))
