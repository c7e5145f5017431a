# amaranth: UnusedElaboratable=no
"""Processing elements against the integer definition of their kind, standing still at random."""

from __future__ import annotations

import random
from itertools import product
from typing import Any, Literal

import numpy as np
import pytest

from model.kinds import kind, kind_names
from rtl.pe.element import PE, pe
from tests.bench.lanes import NAIVE, element
from tests.formal.claims import KINDS
from tests.support.stream_runner import Context, simulate

TERMS = {
    "mult": lambda x, w: x * w,
    "shift": lambda x, w: x * w,
    "add": lambda x, w: -abs(x - w),
    "sum": lambda x, w: x,
    "max": lambda x, w: x,
}
WEIGHTLESS = ("sum", "max")
Multiplier = Literal["dsp", "lut"]
Slot = tuple[list[int], list[int], bool]
"""Inputs, weights, and whether a sum begins."""


def weights_of(name: str, bits: int) -> list[int]:
    """All weights that `bits` bits hold."""
    if name in WEIGHTLESS:
        return [0]
    top = 1 << ((1 << (bits - 1)) - 2 if name == "shift" else bits - 1)
    if name != "shift":
        return list(range(-top, top))
    sizes = [1 << e for e in range(top.bit_length())]
    return [0, *sizes, *(-size for size in sizes)]


def expected(name: str, slots: list[Slot]) -> list[int]:
    """The sum so far after each slot."""
    sums: list[int] = []
    for x, w, restart in slots:
        terms = [TERMS[name](a, b) for a, b in zip(x, w, strict=True)]
        before = [] if restart else sums[-1:]
        sums.append(max(before + terms) if name == "max" else sum(before + terms))
    return sums


def run(dut: PE, slots: list[Slot], rng: random.Random) -> list[int]:
    """acc after each slot."""
    return [acc for (acc,) in run_sums(dut, slots, [[w] for _, w, _ in slots], rng)]


def run_pairs(
    dut: PE, slots: list[Slot], second: list[list[int]], rng: random.Random
) -> list[tuple[int, ...]]:
    """Both sums after each slot. second: weights of the upper one."""
    return run_sums(dut, slots, [[w, v] for (_, w, _), v in zip(slots, second, strict=True)], rng)


def run_sums(
    dut: PE, slots: list[Slot], weights: list[list[list[int]]], rng: random.Random
) -> list[tuple[int, ...]]:
    """All sums after each slot, standing still at random. weights: by slot and sum."""
    sums: list[tuple[int, ...]] = []

    async def bench(ctx: Context) -> None:
        cycle = 0
        while len(sums) < len(slots):
            en = rng.random() < 0.7
            ctx.set(dut.en, en)
            if en and cycle < len(slots):
                ctx.set(dut.x, slots[cycle][0])
                ctx.set(dut.w, dut.pack(*weights[cycle]) if dut.w_bits else 0)
            else:
                ctx.set(dut.x, [rng.randint(*dut.x_range) for _ in range(dut.simd)])
            begins = cycle - dut.restart_delay
            held = not en or not 0 <= begins < len(slots)
            ctx.set(dut.restart, rng.getrandbits(1) if held else slots[begins][2])
            await ctx.tick()
            cycle += en
            if en and cycle >= dut.latency:
                sums.append(tuple(ctx.get(acc) for acc in dut.accs))

    simulate(dut, bench)
    return sums


def check(name: str, dut: PE, slots: list[Slot], seed: int) -> None:
    sums, wanted = run(dut, slots, random.Random(seed)), expected(name, slots)
    wrong = [
        f"slot {i}: {a}, not {b}"
        for i, (a, b) in enumerate(zip(sums, wanted, strict=True))
        if (a - b) % (1 << dut.acc_bits)
    ]
    what = f"{dut.simd} lanes x {dut.x_bits} w {dut.w_bits} acc {dut.acc_bits} bits"
    assert not wrong, f"seed {seed}: {name} {what}: {wrong[0]} (and {len(wrong) - 1} more)"


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("simd", [1, 2, 3, 5, 8, 16])
@pytest.mark.parametrize(("name", "multiplier"), KINDS)
def test_sums(name: str, multiplier: Multiplier, simd: int, signed: bool, seed: int) -> None:
    rng = random.Random(seed)
    for w_bits in [0] if name in WEIGHTLESS else rng.sample(range(2, 9), 4):
        dut = pe(name)(
            simd=simd,
            x_bits=rng.choice([1, 2, 4, 7, 8, 12]),
            x_signed=signed,
            w_bits=w_bits,
            acc_bits=rng.choice([8, 24, 40]) if name != "max" else 16,
            multiplier=multiplier,
            levels=rng.choice([1, 1, 2, 3]),
            registered=rng.random() < 0.3,
            staged=pe(name).STAGES and rng.random() < 0.5,
        )
        all_weights, (lo, hi) = weights_of(name, w_bits), dut.x_range
        slots = [
            (
                [rng.choice([lo, hi, rng.randint(lo, hi)]) for _ in range(simd)],
                [rng.choice(all_weights) for _ in range(simd)],
                i == 0 or rng.random() < 0.3,
            )
            for i in range(40)
        ]
        check(name, dut, slots, seed)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("symmetric", [False, True], ids=["any weight", "symmetric"])
@pytest.mark.parametrize("w_bits", range(2, 9))
def test_two_sums_of_one_multiplication(
    w_bits: int, symmetric: bool, signed: bool, seed: int
) -> None:
    """Each lane has two weights; the ends of inputs and weights come most."""
    rng = random.Random(seed)
    dut = pe("mult")(
        simd=rng.choice([1, 2, 3, 5]),
        x_bits=rng.choice([1, 2, 4, 8]),
        x_signed=signed,
        w_bits=w_bits,
        acc_bits=rng.choice([8, 24, 40]),
        multiplier="packed",
        registered=rng.random() < 0.3,
        symmetric=symmetric,
    )
    inputs = [*dut.x_range, rng.randint(*dut.x_range)]
    weights = weights_of("mult", w_bits)[symmetric:]
    ends = [weights[0], -1, 0, weights[-1]]

    def drawn(values: list[int]) -> list[int]:
        return [rng.choice(values) for _ in range(dut.simd)]

    slots = [(drawn(inputs), drawn(ends), i == 0 or rng.random() < 0.3) for i in range(60)]
    second = [drawn(ends + weights) for _ in slots]
    sums = run_pairs(dut, slots, second, rng)
    others = [(x, w, restart) for (x, _, restart), w in zip(slots, second, strict=True)]
    wanted = zip(expected("mult", slots), expected("mult", others), strict=True)
    modulo = 1 << dut.acc_bits
    assert [(a % modulo, b % modulo) for a, b in sums] == [
        (a % modulo, b % modulo) for a, b in wanted
    ]


@pytest.mark.parametrize("w_bits", range(1, 8))
def test_weights_of_add_without_a_sign(w_bits: int) -> None:
    dut = pe("add")(simd=1, x_bits=5, x_signed=False, w_bits=w_bits, acc_bits=24, w_signed=False)
    slots = [([x], [w], True) for w, x in product(range(1 << w_bits), (0, 1, 30, 31))]
    check("add", dut, slots, seed=w_bits)
    with pytest.raises(ValueError, match=f"add weight -1 must be 0 to {(1 << w_bits) - 1} for"):
        dut.encode(-1)
    with pytest.raises(ValueError, match="only weights of add may have no sign"):
        pe("mult")(simd=1, x_bits=4, x_signed=False, w_bits=4, acc_bits=16, w_signed=False)


def test_packed_weights_are_within_their_range() -> None:
    dut = pe("mult")(
        simd=1, x_bits=4, x_signed=False, w_bits=4, acc_bits=16, multiplier="packed", symmetric=True
    )  # fmt: skip
    with pytest.raises(ValueError, match="mult weight -8 must be -7 to 7 for 4 bits"):
        dut.pack([1], [-8])
    with pytest.raises(ValueError, match=r"1 weights for 2 x 1 lanes"):
        dut.pack([1])
    with pytest.raises(ValueError, match="'packed' is for mult"):
        pe("add")(simd=1, x_bits=4, x_signed=False, w_bits=4, acc_bits=16, multiplier="packed")


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("w_bits", range(2, 9))
@pytest.mark.parametrize(("name", "multiplier"), KINDS[:4])
def test_every_weight(name: str, multiplier: Multiplier, w_bits: int, signed: bool) -> None:
    """Each weight with the inputs 0, ±1 and both ends, one to a sum."""
    dut = pe(name)(
        simd=1,
        x_bits=5,
        x_signed=signed,
        w_bits=w_bits,
        acc_bits=24,
        multiplier=multiplier,
    )
    lo, hi = dut.x_range
    inputs = sorted({lo, hi, 0, 1, max(lo, -1), hi // 2})
    slots = [([x], [w], True) for w, x in product(weights_of(name, w_bits), inputs)]
    check(name, dut, slots, seed=1)


@pytest.mark.parametrize("name", NAIVE)
def test_naive_elements_of_the_bench_compute_the_same(name: str) -> None:
    rng = random.Random(3)
    dut = element(name, NAIVE)
    all_weights = weights_of(name, dut.w_bits)
    slots = [
        (
            [rng.choice([0, 255, rng.randrange(256)]) for _ in range(dut.simd)],
            [rng.choice(all_weights) for _ in range(dut.simd)],
            rng.random() < 0.3 or i == 0,
        )
        for i in range(200)
    ]
    check(name, dut, slots, seed=3)


@pytest.mark.parametrize("name", ["mult", "shift", "add"])
def test_packs_just_what_the_model_allows(name: str) -> None:
    dut = pe(name)(simd=1, x_bits=4, x_signed=False, w_bits=4, acc_bits=16)
    candidates = np.arange(-200, 200)
    allowed = set(candidates[kind(name).weight_ok(candidates, 4)].tolist())
    packed = {dut.pack([w]) for w in allowed}
    assert sorted(allowed) == sorted(weights_of(name, 4))
    assert len(packed) == len(allowed)
    assert max(packed) < 16
    for w in set(candidates.tolist()) - allowed:
        with pytest.raises(ValueError, match=f"{name} weight {w} must be "):
            dut.pack([w])


def test_every_kind_of_the_model_has_an_element() -> None:
    for name in kind_names():
        assert issubclass(pe(name), PE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"simd": 0}, "simd must be an integer, 1 or more, not 0"),
        ({"x_bits": 17}, "x_bits must be an integer, 1 to 16, not 17"),
        ({"w_bits": 9}, "w_bits must be an integer, 2 to 8, not 9"),
        ({"acc_bits": 65}, "acc_bits must be an integer, 2 to 64, not 65"),
        ({"staged": True}, "staged must be false: only lanes of shift have a register within"),
        ({"levels": 0}, "levels must be an integer, 1 or more, not 0"),
        ({"multiplier": "carry"}, "multiplier must be 'dsp', 'packed' or 'lut', not 'carry'"),
    ],
)
def test_refuses(change: dict[str, Any], message: str) -> None:
    good = {"simd": 2, "x_bits": 8, "x_signed": False, "w_bits": 4, "acc_bits": 20}
    with pytest.raises(ValueError, match=message):
        pe("mult")(**good | change)


def test_refuses_a_word_of_another_length() -> None:
    dut = pe("mult")(simd=2, x_bits=8, x_signed=False, w_bits=4, acc_bits=20)
    with pytest.raises(
        ValueError, match="3 weights for 1 x 2 lanes: one word holds one per lane of each sum"
    ):
        dut.pack([1, 2, 3])


def test_refuses_an_unknown_kind() -> None:
    with pytest.raises(
        ValueError, match="unknown kind 'divide': choose one of add, max, mult, shift"
    ):
        pe("divide")
