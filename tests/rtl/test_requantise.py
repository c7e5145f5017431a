# amaranth: UnusedElaboratable=no
"""The requantiser against its integer definition, standing still and with gaps at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import pytest

from rtl.requantise import Requantiser
from rtl.scale import Multiplication, Partials, Shifts, choose, signed_digits
from tests.support.stream_runner import Context, simulate

Multiplier = Literal["dsp", "lut"]


def expected(dut: Requantiser, x: int, c: int) -> int:
    half = (1 << dut.shift) >> 1
    y = (x * dut.multipliers[c] + dut.offsets[c] + half) >> dut.shift
    return min(max(y, dut.lo), dut.hi)


def stimulus(dut: Requantiser, c: int, rng: random.Random) -> int:
    """Any number, an end of the range, or one whose result is near an end of lo to hi."""
    end = 1 << (dut.x_bits - 1)
    m = dut.multipliers[c]
    if m and rng.random() < 0.5:
        y = rng.choice([dut.lo - 1, dut.lo, dut.hi, dut.hi + 1, rng.randint(dut.lo, dut.hi)])
        x = ((y << dut.shift) - dut.offsets[c]) // m + rng.randint(-2, 2)
        return min(max(x, -end), end - 1)
    return rng.choice([-end, end - 1, rng.randint(-end, end - 1)])


def check(block: Requantiser, seed: int) -> None:
    """Some rounds over the channels; a mismatch names word, lane and both values."""
    dut, rng = block.component(), random.Random(seed)
    words, depth = [], len(block.multipliers) // block.lanes
    for k in range(2 * depth + 5):
        channels = range(k % depth * block.lanes, (k % depth + 1) * block.lanes)
        words.append([(c, stimulus(block, c, rng)) for c in channels])
    results: list[list[int]] = []

    async def bench(ctx: Context) -> None:
        valid: list[bool] = []
        sent = 0
        while len(results) < len(words):
            en, given = rng.random() < 0.7, sent < len(words) and rng.random() < 0.7
            x = [x for _, x in words[sent]] if given else [0] * block.lanes
            ctx.set(dut.en, en)
            ctx.set(dut.i_valid, given)
            ctx.set(dut.x, x)
            await ctx.tick()
            if en:
                valid.append(given)
                sent += given
                if valid[-block.latency :][0] and len(valid) >= block.latency:
                    results.append([ctx.get(y) for y in dut.y])

    simulate(dut, bench)
    for k, (word, got) in enumerate(zip(words, results, strict=True)):
        for (c, x), y in zip(word, got, strict=True):
            want = expected(block, x, c)
            assert y == want, f"seed {seed}: word {k}, channel {c}, x {x}: {y}, not {want}"


def power(rng: random.Random) -> int:
    return 1 << rng.randrange(8)


FACTORS: dict[str, Callable[[random.Random, int], list[int]]] = {
    "one": lambda rng, n: [1] * n,
    "equal": lambda rng, n: [rng.randint(-99, 99)] * n,
    "powers": lambda rng, n: [power(rng) for _ in range(n)],
    "signed powers or 0": lambda rng, n: [rng.choice([-1, 0, 1]) * power(rng) for _ in range(n)],
    "two digits": lambda rng, n: [power(rng) - power(rng) for _ in range(n)],
    "bytes": lambda rng, n: [rng.randrange(256) for _ in range(n)],
    "any": lambda rng, n: [rng.randint(-(1 << 15), (1 << 15) - 1) for _ in range(n)],
    "zero": lambda rng, n: [0] * n,
}


@pytest.mark.parametrize("multiplier", ["dsp", "lut"])
@pytest.mark.parametrize("depth", [1, 2, 5, 8])
@pytest.mark.parametrize("factors", FACTORS)
def test_equals_its_definition(factors: str, depth: int, multiplier: Multiplier, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(3):
        lanes, bits, out_signed = rng.randint(1, 4), rng.choice([1, 4, 8, 16]), rng.random() < 0.5
        lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if out_signed else (0, (1 << bits) - 1)
        if rng.random() < 0.3:
            lo, hi = sorted(rng.randint(lo, hi) for _ in range(2))
        far = rng.choice([0, 1 << 12])
        dut = Requantiser(
            lanes=lanes,
            x_bits=rng.choice([1, 2, 8, 13, 18, 19, 36]),
            multipliers=FACTORS[factors](rng, lanes * depth),
            offsets=[rng.randint(-far, far) for _ in range(lanes * depth)],
            shift=rng.choice([0, 1, 4, 8, 12]),
            lo=lo,
            hi=hi,
            multiplier=multiplier,
            out_bits=bits,
            out_signed=out_signed,
        )
        check(dut, seed)


@pytest.mark.parametrize(
    ("factors", "multiplier", "form"),
    [
        ([4, 4], "dsp", Shifts),
        ([1, -64], "dsp", Shifts),
        ([5, 5], "dsp", Multiplication),
        ([1025, 2049], "lut", Shifts),
        ([201, 77], "lut", Partials),
        ([201, 77], "dsp", Multiplication),
    ],
)
def test_takes_the_least_hardware(factors: list[int], multiplier: Multiplier, form: type) -> None:
    assert isinstance(choose(tuple(factors), 16, multiplier), form)


def test_stores_only_what_differs() -> None:
    common: dict[str, Any] = {"lanes": 2, "x_bits": 16, "shift": 4, "lo": 0, "hi": 255}
    common |= {"out_bits": 8, "out_signed": False}
    fixed = Requantiser(multipliers=[3, 5], offsets=[7, 9], **common)
    assert not fixed.stored
    wide = Requantiser(multipliers=[4] * 4, offsets=[1, 2, 3, 4], **common)
    assert list(wide.stored) == ["offset"]
    assert wide.latency == fixed.latency


def test_signed_digits_are_few() -> None:
    for value in range(-300, 300):
        digits = signed_digits(value)
        assert sum((-1) ** negative << e for negative, e in digits) == value
        assert all(b[1] - a[1] > 1 for a, b in pairwise(digits))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lanes": 3}, "lanes must divide 4 channels, not 3"),
        ({"offsets": [1]}, "4 multipliers and 1 offsets: one of each a channel"),
        ({"multiplier": "carry"}, "multiplier must be 'dsp' or 'lut', not 'carry'"),
        ({"shift": -1}, "shift -1 and x_bits 16 must not be below 0 and 1"),
        ({"hi": 256}, r"lo 0 and hi 256 must be ends of a range within unsigned\(8\)"),
        ({"lo": 9, "hi": 8}, r"lo 9 and hi 8 must be ends of a range within unsigned\(8\)"),
    ],
)
def test_refuses(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"lanes": 2, "x_bits": 16, "shift": 3, "multipliers": [1] * 4}
    good |= {"offsets": [0] * 4, "lo": 0, "hi": 255, "out_bits": 8, "out_signed": False}
    with pytest.raises(ValueError, match=message):
        Requantiser(**good | change)
