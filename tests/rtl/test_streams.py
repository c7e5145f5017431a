# amaranth: UnusedElaboratable=no
"""Stream plumbing under any pattern of valid and ready: no word lost, doubled or out of order."""

from __future__ import annotations

import random
from itertools import chain
from typing import Any

import pytest
from amaranth.hdl import signed, unsigned

from rtl.classifier_output import ClassifierOutput
from rtl.pool import BlockPool
from rtl.stage import Requant
from rtl.streams import Fifo, Fork, Join, Narrow, Widen, converters
from tests.support.stream_runner import Stalls, run


@pytest.fixture(params=[0.0, 0.3, 0.7])
def stalls(request: pytest.FixtureRequest, seed: int) -> Stalls:
    return Stalls(request.param, seed)


def numbers(seed: int, count: int, lanes: int, bits: int = 8) -> list[list[int]]:
    rng = random.Random(seed)
    return [[rng.randrange(1 << bits) for _ in range(lanes)] for _ in range(count)]


def flat(words: list[list[int]]) -> list[int]:
    return list(chain.from_iterable(words))


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_widen(factor: int, stalls: Stalls, seed: int) -> None:
    words = numbers(seed, 12 * factor, 2)
    done = run(Widen(shape=unsigned(8), lanes=2, factor=factor), {"i": words}, {"o": 12}, stalls)
    assert done.words["o"] == [flat(words[k : k + factor]) for k in range(0, len(words), factor)]
    assert stalls.chance or done.cycles <= 12 * factor + 3


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_narrow(factor: int, stalls: Stalls, seed: int) -> None:
    words = numbers(seed, 10, 2 * factor)
    done = run(
        Narrow(shape=unsigned(8), lanes=2, factor=factor), {"i": words}, {"o": 10 * factor}, stalls
    )
    assert flat(done.words["o"]) == flat(words)
    assert stalls.chance or done.cycles <= 10 * factor + 3


def test_converters_reach_any_ratio() -> None:
    made = converters(unsigned(8), 6, 4)
    assert [type(u).__name__ for u in made] == ["Narrow", "Widen"]
    assert converters(unsigned(8), 3, 3) == []


@pytest.mark.parametrize("depth", [2, 3, 8])
def test_fifo(depth: int, stalls: Stalls, seed: int) -> None:
    words = numbers(seed, 30, 1)
    done = run(Fifo(shape=unsigned(8), lanes=1, depth=depth), {"i": words}, {"o": 30}, stalls)
    assert done.words["o"] == words


def test_fork(stalls: Stalls, seed: int) -> None:
    words = numbers(seed, 25, 2)
    done = run(Fork(shape=unsigned(8), lanes=2), {"i": words}, {"o_a": 25, "o_b": 25}, stalls)
    assert done.words == {"o_a": words, "o_b": words}


def test_join(stalls: Stalls, seed: int) -> None:
    requant = Requant(
        multipliers=[3, -2], offsets=[5, 90], shift=2, lo=0, hi=63, out_bits=6, out_signed=False
    )
    dut = Join(
        shapes=(unsigned(8), signed(6)), shifts=(0, 2), lanes=2, acc_bits=10, requant=requant
    )
    a = numbers(seed, 20, 2)
    b = [[v - 32 for v in word] for word in numbers(seed + 1, 20, 2, 6)]
    done = run(dut, {"i_a": a, "i_b": b}, {"o": 20}, stalls)
    want = [
        [
            min(63, max(0, ((x + 4 * y) * m + c + 2) >> 2))
            for x, y, m, c in zip(p, q, (3, -2), (5, 90), strict=True)
        ]
        for p, q in zip(a, b, strict=True)
    ]
    assert done.words["o"] == want


@pytest.mark.parametrize("classes", [1, 3, 10])
@pytest.mark.parametrize("bits", [6, 8, 12])
def test_head(classes: int, bits: int, stalls: Stalls, seed: int) -> None:
    dut = ClassifierOutput(classes=classes, score_shape=signed(bits))
    rng = random.Random(seed)
    ends = (1 << (bits - 1)) - 1
    images = [[rng.randint(-ends - 1, ends) for _ in range(classes)] for _ in range(6)]
    images.append([ends] * classes)  # equal scores: the first wins
    size = dut.score_bytes
    words = [[score] for image in images for score in image]
    done = run(dut, {"i": words}, {"o": len(images) * (classes * size + 1)}, stalls)
    want: list[tuple[int, int]] = []
    for image in images:
        for score in image:
            raw = (score % (1 << (8 * size))).to_bytes(size, "little")
            want += [(byte, 0) for byte in raw]
        want.append((image.index(max(image)), 1))
    assert [(w.data, w.last) for w in done.words["o"]] == want


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Widen(shape=unsigned(8), lanes=1, factor=1), "factor must be at least 2, not 1"),
        (lambda: Narrow(shape=unsigned(8), lanes=1, factor=0), "factor must be at least 2, not 0"),
        (lambda: Fifo(shape=unsigned(8), lanes=1, depth=1), "FIFO depth must be at least 2, not 1"),
        (
            lambda: ClassifierOutput(classes=0, score_shape=signed(8)),
            "classes must be 1 to 256, not 0",
        ),
        (
            lambda: BlockPool(
                op="min",  # type: ignore[arg-type]
                height=4,
                width=4,
                channels=2,
                kernel=(2, 2),
                lanes=2,
                x_shape=unsigned(8),
            ),
            "op must be one of max, sum, not 'min'",
        ),
        (
            lambda: BlockPool(
                op="max", height=4, width=4, channels=3, kernel=(2, 2), lanes=2, x_shape=unsigned(8)
            ),
            "lanes must divide 3 channels, not 2",
        ),
        (
            lambda: BlockPool(
                op="sum", height=4, width=4, channels=2, kernel=(2, 2), lanes=2, x_shape=unsigned(8)
            ),
            "a sum needs a requantiser",
        ),
        (
            lambda: BlockPool(
                op="max", height=4, width=2, channels=2, kernel=(3, 3), lanes=2, x_shape=unsigned(8)
            ),
            "block does not fit a 4×2 image",
        ),
    ],
)
def test_wrong_parameters(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
