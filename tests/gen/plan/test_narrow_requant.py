"""Smaller constants of a requantiser against the given ones, over the whole range of its sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.plan.narrow_requant import Objective, digits, narrow, roundest

Channel = tuple[int, int, tuple[int, int]]
"""Multiplier, offset, and bounds of the sums."""


def results(acc: np.ndarray, m: int, b: int, shift: int, clip: tuple[int, int]) -> np.ndarray:
    """As the golden model requantises."""
    clipped: np.ndarray = np.clip((acc * m + b + ((1 << shift) >> 1)) >> shift, *clip)
    return clipped


@st.composite
def channels(draw: st.DrawFn) -> Channel:
    lo = draw(st.integers(-600, 600))
    bounds = lo, lo + draw(st.integers(0, 900))
    return draw(st.integers(-2000, 2000)), draw(st.integers(-60_000, 60_000)), bounds


@given(
    st.lists(channels(), min_size=1, max_size=4),
    st.integers(0, 14),
    st.sampled_from([(0, 1), (0, 15), (-8, 7), (0, 255), (3, 9)]),
    st.sampled_from(["width", "digits"]),
)
def test_the_function_is_the_same(
    rows: list[Channel], shift: int, clip: tuple[int, int], objective: Objective
) -> None:
    m, b, bounds = zip(*rows, strict=True)
    narrowed = narrow(m, b, shift, bounds=bounds, clip=clip, objective=objective)
    assert narrowed[2] <= shift
    for old, new, ends in zip(
        zip(m, b, strict=True), zip(*narrowed[:2], strict=True), bounds, strict=True
    ):
        acc = np.arange(ends[0], ends[1] + 1)
        same = results(acc, *old, shift, clip) == results(acc, *new, narrowed[2], clip)
        assert same.all()


def test_no_smaller_shift_has_one() -> None:
    """Of 12 shifts the one found, by trying all multipliers and offsets of the shift below."""
    m, b, shift, bounds, clip = 183, 2048, 11, (-60, 80), (0, 7)
    (_,), (_,), least = narrow([m], [b], shift, bounds=[bounds], clip=clip)
    assert 0 < least < shift
    acc = np.arange(bounds[0], bounds[1] + 1)
    want, below = results(acc, m, b, shift, clip), least - 1
    size = 1 << below
    tried = np.arange(-4 * size, 12 * size)
    for other in range(2 * size):
        all_results = np.clip((acc * other + tried[:, None]) >> below, *clip)
        assert not (all_results == want).all(1).any(), other


def test_few_bits_of_result_need_few_of_the_multiplier() -> None:
    (m,), _, shift = narrow([41_231], [77_777], 19, bounds=[(-120, 135)], clip=(0, 15))
    assert m.bit_length() <= 8
    assert shift <= 11


def test_fewer_digits() -> None:
    (m,), _, _ = narrow(
        [41_231], [77_777], 19, bounds=[(-120, 135)], clip=(0, 15), objective="digits"
    )
    assert digits(m) < digits(41_231)


@pytest.mark.parametrize(
    ("lo", "hi", "number"), [(-3, 4, 0), (5, 7, 6), (9, 30, 16), (-7, -5, -6), (7, 7, 7)]
)
def test_roundest(lo: int, hi: int, number: int) -> None:
    assert roundest(lo, hi) == number
