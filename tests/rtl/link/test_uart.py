# amaranth: UnusedElaboratable=no
"""The serial line: bytes arrive at any tolerable rate, and a damaged one is told."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from rtl.link.uart import Receiver, Transmitter, divisor, fastest_rate, rate_error
from tests.support.stream_runner import Context, Stalls, feed, simulate


def bits(line: bytes, stop: int = 1) -> Iterator[int]:
    for byte in line:
        yield 0
        yield from ((byte >> k) & 1 for k in range(8))
        yield stop


def receive(levels: list[int], cycles: float, per_bit: int) -> list[tuple[int, int]]:
    """(byte, error) received from line levels that last `cycles` clocks each."""
    dut, got = Receiver(divisor=per_bit), []

    async def drive(ctx: Context) -> None:
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(5)
        at = 0.0
        for level in levels:
            ctx.set(dut.rx, level)
            at += cycles
            await ctx.tick().repeat(int(at))
            at -= int(at)
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(4 * per_bit)

    async def collect(ctx: Context) -> None:
        ctx.set(dut.o.ready, 1)
        async for _, _, valid, byte in ctx.tick().sample(dut.o.valid, dut.o.payload):
            if valid:
                got.append((byte.data, byte.error))

    simulate(dut, drive, background=[collect])
    return got


@pytest.mark.parametrize("off", [-0.025, 0.0, 0.025])
@pytest.mark.parametrize("per_bit", [4, 5, 8, 25])
def test_receiver_follows_a_line_that_is_off(per_bit: int, off: float) -> None:
    line = bytes(random.Random(per_bit).randbytes(40)) + b"\x00\xff\x55"
    got = receive(list(bits(line)), per_bit * (1 + off), per_bit)
    assert got == [(byte, 0) for byte in line]


def test_missing_stop_bit_is_an_error_and_the_next_byte_is_whole() -> None:
    levels = [*bits(b"a", stop=0), 0, 0, 1, 1, *bits(b"b")]
    assert receive(levels, 8, 8) == [(0x61, 1), (0x62, 0)]


def test_glitch_is_no_byte() -> None:
    dut, seen = Receiver(divisor=16), []

    async def drive(ctx: Context) -> None:
        for level, cycles in ((1, 9), (0, 1), (1, 200), (0, 5), (1, 200)):
            ctx.set(dut.rx, level)
            for _ in range(cycles):
                await ctx.tick()
                seen.append(ctx.get(dut.o.valid))

    simulate(dut, drive)
    assert not any(seen)


def test_transmitter_sends_what_a_receiver_samples() -> None:
    dut, line, levels = Transmitter(divisor=5), b"\x00\xa5\xff", []

    async def watch(ctx: Context) -> None:
        async for _, _, level in ctx.tick().sample(dut.tx):
            levels.append(level)

    async def drive(ctx: Context) -> None:
        await feed(ctx, dut.i, line, Stalls())
        await ctx.tick().repeat(60)

    simulate(dut, drive, background=[watch])
    start = levels.index(0)
    for k, byte in enumerate(line):
        at = start + k * 51
        assert [levels[at + 5 * n + 2] for n in range(10)] == list(bits(bytes([byte])))


def test_rates() -> None:
    assert divisor(25_000_000, 1_000_000) == 25
    assert rate_error(50_000_000, 3_000_000) == pytest.approx(-0.0196, abs=1e-4)
    assert fastest_rate(48_000_000) == 3_000_000
    assert fastest_rate(50_000_000) == 2_000_000
    assert fastest_rate(12_000_000) == 3_000_000
    with pytest.raises(ValueError, match="2 cycles a bit: at least 4 are needed"):
        divisor(6_000_000, 3_000_000)
    with pytest.raises(ValueError, match=r"would be -2.0% off: at most 1.5%"):
        divisor(50_000_000, 3_000_000)
    with pytest.raises(ValueError, match="1000 Hz: no serial rate of 115200 fits"):
        fastest_rate(1000, [115_200])
    with pytest.raises(ValueError, match="at least 4 cycles a bit, not 3"):
        Transmitter(divisor=3)
