"""Runs components in Amaranth's simulator, and their streams under any pattern of stalls."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from amaranth.lib import wiring
from amaranth.sim import Simulator

from rtl.block import BlockDescription

Context = Any
"""Amaranth's TestbenchContext, which has no public name."""
Bench = Callable[[Context], Awaitable[None]]
PATIENCE = 5000
"""Cycles without a transfer on any port after which a run fails."""


def simulate(dut: wiring.Component, *benches: Bench, background: Sequence[Bench] = ()) -> None:
    """Clocks `dut` until all `benches` have ended; those in the background need not end."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    for bench in background:
        simulator.add_testbench(bench, background=True)
    simulator.run()


class Stalls:
    """Pauses with `chance` in each cycle; the same seed, the same pauses."""

    def __init__(self, chance: float = 0.0, seed: int = 0) -> None:
        self.chance, self.seed = chance, seed
        self._rng = random.Random(seed)

    def __call__(self) -> bool:
        return self._rng.random() < self.chance

    def __str__(self) -> str:
        return f"stalls {self.chance}, seed {self.seed}"


async def feed(ctx: Context, stream: Any, words: Sequence[Any], stalls: Stalls) -> None:
    """Offers each word until it is taken, and stalls between words."""
    for word in words:
        while stalls():
            await ctx.tick()
        ctx.set(stream.payload, word)
        ctx.set(stream.valid, 1)
        ready = False
        while not ready:  # until() would leave a generator behind when the run fails
            _, _, ready = await ctx.tick().sample(stream.ready)
        ctx.set(stream.valid, 0)


@dataclass
class Run:
    """What came out of each output port, and the clock cycles until then.

    A payload that is an array is a list of its lanes, any other what the simulator reads.
    """

    counts: Mapping[str, int | None]
    stalls: Stalls
    words: dict[str, list[Any]] = field(default_factory=dict)
    cycles: int = 0
    moved: int = 0
    """The cycle of the last transfer."""

    def __post_init__(self) -> None:
        self.words = {port: [] for port in self.counts}

    async def feed(self, ctx: Context, stream: Any, words: Sequence[Any], settle: int = 0) -> None:
        for word in words:
            await feed(ctx, stream, [word], self.stalls)
            self.moved = self.cycles
        for _ in range(settle):
            await ctx.tick()

    async def collect(self, ctx: Context, stream: Any, port: str) -> None:
        """Takes `counts[port]` words, or all; fails when an offer is taken back or changed."""
        held, words, count = None, self.words[port], self.counts[port]
        lanes = getattr(stream.payload.shape(), "length", None)
        while count is None or len(words) < count:
            ctx.set(stream.ready, not self.stalls())
            _, _, valid, ready, payload = await ctx.tick().sample(
                stream.valid, stream.ready, stream.payload
            )
            word = [payload[k] for k in range(lanes)] if lanes else payload
            assert held is None or (valid and word == held), (
                f"{port}: an offer was taken back or changed ({self.stalls})"
            )
            if valid and ready:
                words.append(word)
                self.moved = self.cycles
            held = word if valid and not ready else None
        ctx.set(stream.ready, 0)

    async def watch(self, ctx: Context) -> None:
        """Counts the cycles; fails after PATIENCE of them without a transfer."""
        async for _ in ctx.tick():
            self.cycles += 1
            got = {port: len(words) for port, words in self.words.items()}
            assert self.cycles - self.moved < PATIENCE, (
                f"nothing moves: {got} of {dict(self.counts)} words ({self.stalls})"
            )


def run(
    block: BlockDescription | wiring.Component,
    inputs: Mapping[str, Sequence[Any]],
    counts: Mapping[str, int | None],
    stalls: Stalls | None = None,
    *,
    settle: int = 0,
) -> Run:
    """Feeds all words of each input port and collects `counts` words of each output port.

    counts: None for a port takes whatever comes until `settle` cycles after the last input.
    stalls: pauses of producers and consumers. Fails, naming their seed, on an offer that is taken
    back and when nothing moves any more.
    """
    dut = block.component() if isinstance(block, BlockDescription) else block
    done = Run(counts, stalls or Stalls())
    benches: list[Bench] = [
        partial(done.feed, stream=getattr(dut, port), words=words, settle=settle)
        for port, words in inputs.items()
    ]
    background: list[Bench] = [done.watch]
    for port, count in counts.items():
        collect = partial(done.collect, stream=getattr(dut, port), port=port)
        (background if count is None else benches).append(collect)
    simulate(dut, *benches, background=background)
    return done
