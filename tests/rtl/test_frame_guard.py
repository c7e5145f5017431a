# amaranth: UnusedElaboratable=no
"""Frames that end too early lose their own answers, and no others."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import Module, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from rtl.counter import LoopNest
from rtl.frame_guard import FrameGuard
from rtl.streams import Fifo, Narrow, Widen
from tests.support.stream_runner import Stalls, run, simulate

WORDS = 5


class Guarded(wiring.Component):
    """A guard around a network whose answer to an image is the image."""

    def __init__(self, frames: int, depth: int) -> None:
        self.guard = FrameGuard(words=WORDS, bits_in=8, bits_out=8, frames=frames).component()
        self.depth = depth
        members = self.guard.signature.members
        super().__init__({"i": members["i"], "o": members["o"], "dropped": Out(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.guard = guard = self.guard
        wide = unsigned(8 * WORDS)
        blocks: list[Any] = [
            Widen(shape=unsigned(8), lanes=1, factor=WORDS).component(),
            Fifo(shape=wide, lanes=1, depth=self.depth).component(),
            Narrow(shape=unsigned(8), lanes=1, factor=WORDS).component(),
        ]
        m.submodules += blocks
        m.submodules.at = at = LoopNest({"word": WORDS})
        sent: Any = guard.to_network
        for block in blocks:
            m.d.comb += [
                block.i.payload.eq(sent.payload.data if sent is guard.to_network else sent.payload),
                block.i.valid.eq(sent.valid),
                sent.ready.eq(block.i.ready),
            ]
            sent = block.o
        answer = guard.from_network
        m.d.comb += [
            answer.payload.data.eq(sent.payload[0]),
            answer.payload.last.eq(at.last),
            answer.valid.eq(sent.valid),
            sent.ready.eq(answer.ready),
            at.step.eq(answer.valid & answer.ready),
            self.dropped.eq(guard.dropped),
        ]
        wiring.connect(m, wiring.flipped(self.i), guard.i)
        wiring.connect(m, guard.o, wiring.flipped(self.o))
        return m


def frames(rng: random.Random, count: int, spoiled: float) -> list[list[int]]:
    """Frames of one image or two; some end too early, and some have a word too many."""
    made = []
    for _ in range(count):
        size = WORDS * rng.choice([1, 1, 1, 2])
        if rng.random() < spoiled:
            size += rng.choice([-3, -1, 1])
        made.append([rng.randrange(256) for _ in range(size)])
    return made


@pytest.mark.slow(sample=4)
@pytest.mark.parametrize("spoiled", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("chance", [0.0, 0.5])
@pytest.mark.parametrize(("inside", "depth"), [(1, 2), (3, 8)])
def test_only_complete_images_are_answered(
    spoiled: float, chance: float, inside: int, depth: int, seed: int
) -> None:
    sent = frames(random.Random(seed), 40, spoiled)
    words = [
        {"data": value, "last": k == len(frame) - 1}
        for frame in sent
        for k, value in enumerate(frame)
    ]
    guard = FrameGuard(words=WORDS, bits_in=8, bits_out=8, frames=inside)
    answered = guard.model(bool(word["last"]) for word in words)
    right = [
        frame[k : k + WORDS] for frame in sent for k in range(0, len(frame) - WORDS + 1, WORDS)
    ]
    assert len(right) == sum(answered)
    got = run(
        Guarded(inside, depth), {"i": words}, {"o": len(right) * WORDS}, Stalls(chance, seed),
        settle=100,
    ).words["o"]  # fmt: skip
    assert [word.data for word in got] == [value for image in right for value in image]
    assert [word.last for word in got] == [0, 0, 0, 0, 1] * len(right)


def test_answers_taken_away_are_counted_and_words_without_last_are_images(seed: int) -> None:
    dut = Guarded(3, 8)
    seen: list[int] = []

    async def bench(ctx: Any) -> None:
        async def send(count: int, last: int) -> None:
            for k in range(count):
                ctx.set(dut.i.payload, {"data": k, "last": last * (k == count - 1)})
                ctx.set(dut.i.valid, 1)
                ready = False
                while not ready:
                    _, _, ready = await ctx.tick().sample(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            for _ in range(40):
                await ctx.tick()
            seen.append(ctx.get(dut.dropped))

        ctx.set(dut.o.ready, 1)
        for count, last in ((3 * WORDS, 0), (2, 1), (WORDS, 1), (WORDS + 1, 1), (WORDS, 0)):
            await send(count, last)

    simulate(dut, bench)
    assert seen == [0, 1, 1, 2, 2]


def test_guard_costs_no_cycle() -> None:
    words = [{"data": k % 256, "last": k % WORDS == WORDS - 1} for k in range(20 * WORDS)]
    done = run(Guarded(7, 8), {"i": words}, {"o": 20 * WORDS})
    assert done.cycles <= 20 * WORDS + WORDS + 6


@pytest.mark.parametrize("name", ["words", "bits_in", "bits_out", "frames"])
def test_sizes_are_checked(name: str) -> None:
    sizes = {"words": 5, "bits_in": 8, "bits_out": 8, "frames": 2, name: 0}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        FrameGuard(**sizes)
