# amaranth: UnusedElaboratable=no

"""Reset after power-on, and lights: when they change, and that no event is missed."""

from __future__ import annotations

import pytest

from rtl.startup import Lights, Startup
from tests.support.stream_runner import Context, simulate


def test_reset_holds_until_steady_for_long_enough_and_comes_back() -> None:
    dut = Startup(cycles=16)

    async def wait_for_release(ctx: Context) -> int:
        for cycle in range(100):
            if not ctx.get(dut.rst):
                return cycle
            await ctx.tick()
        raise AssertionError("reset never ends")

    async def bench(ctx: Context) -> None:
        assert ctx.get(dut.rst) == 1, "in reset from the first moment"
        for _ in range(40):
            await ctx.tick()
            assert ctx.get(dut.rst) == 1, "not steady yet"
        ctx.set(dut.steady, 1)
        assert 16 <= await wait_for_release(ctx) <= 20
        ctx.set(dut.steady, 0)
        await ctx.tick().repeat(4)
        assert ctx.get(dut.rst) == 1
        ctx.set(dut.steady, 1)
        await ctx.tick().repeat(10)
        ctx.set(dut.steady, 0)  # a bounce
        await ctx.tick()
        ctx.set(dut.steady, 1)
        assert 16 <= await wait_for_release(ctx) <= 20

    simulate(dut, bench)


def test_lights_blink_and_show_an_event_of_one_cycle() -> None:
    dut = Lights(count=3, events=2, clock_hz=64)  # a blink of 128 cycles, a tick of 8

    async def bench(ctx: Context) -> None:
        shown: list[tuple[int, int, int]] = []
        for cycle in range(256):
            ctx.set(dut.events, 1 if cycle == 100 else 2 if cycle == 200 else 0)
            leds = ctx.get(dut.leds)
            shown.append((leds & 1, leds >> 1 & 1, leds >> 2))
            await ctx.tick()
        assert [a for a, _, _ in shown] == [0] * 64 + [1] * 64 + [0] * 64 + [1] * 64
        busy = [i for i, (_, b, _) in enumerate(shown) if b]
        error = [i for i, (_, _, e) in enumerate(shown) if e]
        assert busy == list(range(105, 113))
        assert error == list(range(201, 209))

    simulate(dut, bench)


def test_one_light_alone_shows_both() -> None:
    dut = Lights(count=1, events=1, clock_hz=64)

    async def bench(ctx: Context) -> None:
        changes, last = [], 0
        for cycle in range(128):
            ctx.set(dut.events, cycle == 20)
            if (now := ctx.get(dut.leds)) != last:
                changes.append(cycle)
            last = now
            await ctx.tick()
        assert changes == [25, 33, 64]

    simulate(dut, bench)


@pytest.mark.parametrize("cycles", [0, 1, 12])
def test_cycles_is_a_power_of_two(cycles: int) -> None:
    with pytest.raises(
        ValueError, match=f"cycles must be a power of two of at least 2, not {cycles}"
    ):
        Startup(cycles=cycles)


def test_lights_refuse_what_they_cannot_show() -> None:
    with pytest.raises(ValueError, match="0 lights for 2 events"):
        Lights(count=0, events=2, clock_hz=64)
    with pytest.raises(ValueError, match="clock_hz must be at least 16, not 5"):
        Lights(count=1, events=0, clock_hz=5)
