# amaranth: UnusedElaboratable=no
"""The link, bit by bit on the line, in front of an accelerator that adds up its image."""

from __future__ import annotations

import binascii
import random
from collections import deque
from collections.abc import Sequence

import pytest

from gen.host import link_protocol
from gen.host.link_protocol import frame, unframe
from rtl.link import protocol
from rtl.link.answers import COUNTERS_BYTES
from rtl.link.link import ROUNDS, Link, slots
from rtl.link.requests import Requests, buffer_bytes
from tests.support.paths import ROOT
from tests.support.stream_runner import Context, Stalls, feed, simulate

SIZE, LATENCY = 5, 9
IDENTITY = bytes(range(40))
VECTOR = bytes([1, 2, 3, 4, 250])
DIVISOR = 4


def answer(image: bytes) -> bytes:
    return bytes([sum(image) & 0xFF, 0, max(image)])


class Bench:
    """A link and its accelerator: bytes sent on the line, frames that come back."""

    def __init__(self, *, right: bytes | None = None) -> None:
        self.link = Link(
            clock_hz=DIVISOR * 1_000_000,
            baud=1_000_000,
            image_bytes=SIZE,
            score_bytes=3,
            identity=IDENTITY,
            self_test=(VECTOR, right or answer(VECTOR)),
        )
        self.images: list[bytes] = []
        self.levels: list[int] = []

    def run(self, line: bytes, settle: int = 60) -> list[tuple[int, int, bytes] | None]:
        """Frames that answer `line`; `settle`: byte times to wait behind it."""

        async def drive(ctx: Context) -> None:
            ctx.set(self.link.rx, 1)
            await ctx.tick().repeat(8)
            for byte in line:
                for level in (0, *((byte >> k) & 1 for k in range(8)), 1):
                    ctx.set(self.link.rx, level)
                    await ctx.tick().repeat(DIVISOR)
            await ctx.tick().repeat(10 * DIVISOR * settle)

        simulate(self.link, drive, background=[self._listen, self._accelerate])
        *frames, rest = self._bytes().split(b"\0")
        assert not rest, "the last frame has no end"
        return [unframe(part) for part in frames]

    async def _listen(self, ctx: Context) -> None:
        async for _, _, level in ctx.tick().sample(self.link.tx):
            self.levels.append(level)

    def _bytes(self) -> bytes:
        """What was sent on the line, sampled in the middle of each bit."""
        line, at = bytearray(), 0
        while 0 in self.levels[at:]:
            at = self.levels.index(0, at) + DIVISOR // 2
            bits = [self.levels[at + k * DIVISOR] for k in range(10)]
            assert (bits[0], bits[9]) == (0, 1), "no start or stop bit"
            line.append(sum(bit << k for k, bit in enumerate(bits[1:9])))
            at += 9 * DIVISOR
        return bytes(line)

    async def _accelerate(self, ctx: Context) -> None:
        """Answers LATENCY cycles after an image's last byte; takes every byte at once."""
        link, image, out = self.link, bytearray(), deque[tuple[int, int, bool]]()
        ctx.set(link.s_axis_tready, 1)
        now = 0
        while True:
            due = bool(out) and out[0][0] <= now
            ctx.set(link.m_axis_tvalid, due)
            ctx.set(link.m_axis_tdata, out[0][1] if due else 0)
            ctx.set(link.m_axis_tlast, due and out[0][2])
            _, _, valid, byte, last, taken = await ctx.tick().sample(
                link.s_axis_tvalid, link.s_axis_tdata, link.s_axis_tlast, link.m_axis_tready
            )
            if due and taken:
                out.popleft()
            if valid:
                image.append(byte)
                assert last == (len(image) == SIZE)
                if last:
                    whole = bytes(image)
                    self.images.append(whole)
                    start = max(now + LATENCY, out[-1][0] + 1 if out else 0)
                    out.extend((start + k, b, k == 2) for k, b in enumerate(answer(whole)))
                    image.clear()
            now += 1


def images(count: int, seed: int = 7) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(SIZE) for _ in range(count)]


def infer(batch: Sequence[bytes], first: int = 0) -> list[bytes]:
    return [frame(first + k, link_protocol.INFER, image) for k, image in enumerate(batch)]


def test_host_and_hardware_speak_of_the_same_numbers() -> None:
    for name, op in protocol.Op.__members__.items():
        assert getattr(link_protocol, name) == op
    for name, code in protocol.Refusal.__members__.items():
        assert getattr(link_protocol, name) == code
    page = (ROOT / "docs" / "link.md").read_text()
    assert f"What the board is ({link_protocol._INFO.size} bytes)" in page
    assert f"Counters ({link_protocol._COUNTERS.size} bytes)" in page
    assert link_protocol._COUNTERS.size == COUNTERS_BYTES
    assert (link_protocol.VERSION, link_protocol.NO_ID, link_protocol.ANSWER) == (
        protocol.VERSION,
        protocol.NO_ID,
        protocol.ANSWER,
    )


def test_identify_and_images_back_to_back() -> None:
    batch = images(6)
    bench = Bench()
    got = bench.run(b"".join([frame(9, link_protocol.IDENTIFY), *infer(batch)]))
    assert got[0] == (9, link_protocol.IDENTIFY | link_protocol.ANSWER, IDENTITY)
    assert got[1:] == [
        (k, link_protocol.INFER | link_protocol.ANSWER, answer(i)) for k, i in enumerate(batch)
    ]
    assert bench.images == batch


@pytest.mark.parametrize(("right", "passed"), [(None, 1), (b"\xff\0\xfa", 0)])
def test_self_test_and_what_it_measures(right: bytes | None, passed: int) -> None:
    bench = Bench(right=right)
    got = bench.run(
        frame(3, link_protocol.SELF_TEST) + b"\0" * 30 + frame(4, link_protocol.COUNTERS)
    )
    assert got[0] == (
        3,
        link_protocol.SELF_TEST | link_protocol.ANSWER,
        answer(VECTOR) + bytes([passed]),
    )
    assert bench.images == [VECTOR] * ROUNDS
    assert got[1] is not None
    counters = link_protocol.BoardCounters(*link_protocol._COUNTERS.unpack(got[1][2]))
    # the last byte of an answer leaves two cycles after its first
    assert counters.latency_cycles == SIZE - 1 + LATENCY + 2
    assert counters.interval_cycles == SIZE
    assert (counters.inferences, counters.damaged) == (0, 0)


def test_what_cannot_be_served_is_told_and_the_next_frame_is() -> None:
    good = images(3)
    bad = bytearray(frame(50, link_protocol.INFER, images(1)[0]))
    bad[4] ^= 0x10
    line = [
        infer(good[:1])[0],
        bytes(bad),
        frame(51, 77),
        frame(52, link_protocol.INFER, b"abcd"),
        frame(53, link_protocol.INFER, b"abcdef"),
        frame(54, link_protocol.INFER, b"x" * 40),
        frame(55, link_protocol.IDENTIFY, b"x"),
        b"\x05ab\0",  # cut
        b"noise without an end",
        b"\0\0\0",
        *infer(good[1:], 1),
        frame(60, link_protocol.COUNTERS),
    ]
    bench = Bench()
    got = bench.run(b"".join(line), settle=120)
    codes = [(part[0], part[1]) for part in got if part]
    assert codes == [
        (0, 0x82),
        (link_protocol.NO_ID, link_protocol.DAMAGED),
        (51, link_protocol.UNKNOWN),
        *((k, link_protocol.LENGTH) for k in (52, 53, 54, 55)),
        (link_protocol.NO_ID, link_protocol.DAMAGED),
        (link_protocol.NO_ID, link_protocol.DAMAGED),
        (1, 0x82),
        (2, 0x82),
        (60, 0x83),
    ]
    assert bench.images == good
    assert got[-1] is not None
    counters = link_protocol.BoardCounters(*link_protocol._COUNTERS.unpack(got[-1][2]))
    assert counters.inferences == 3
    assert (counters.damaged, counters.refused, counters.busy) == (3, 5, 0)


def decoded(body: bytes) -> list[dict[str, int]]:
    parts = [{"data": byte, "end": 0, "error": 0} for byte in body]
    return [*parts, {"data": 0, "end": 1, "error": 0}]


def request(dut: Requests, bodies: Sequence[bytes]) -> list[tuple[int, int]]:
    """(id, code) of the requests that wait after frames of `bodies`, of which none is served."""
    waiting: list[tuple[int, int]] = []

    async def send(ctx: Context) -> None:
        ctx.set(dut.idle, 1)
        for body in bodies:
            whole = body + binascii.crc32(body).to_bytes(4, "little")
            await feed(ctx, dut.i, decoded(whole), Stalls())
        await ctx.tick().repeat(4)
        ctx.set(dut.o.ready, 1)
        while ctx.get(dut.o.valid):
            waiting.append((ctx.get(dut.o.payload.id), ctx.get(dut.o.payload.code)))
            await ctx.tick()

    simulate(dut, send)
    return waiting


def test_an_image_more_than_there_is_room_for_is_told_busy() -> None:
    assert slots(300) == 3
    bodies = [bytes([k, link_protocol.INFER]) + bytes(300) for k in range(5)]
    waiting = request(Requests(image_bytes=300), bodies)
    assert waiting == [
        (0, 0x82),
        (1, 0x82),
        (2, 0x82),
        (3, link_protocol.BUSY),
        (4, link_protocol.BUSY),
    ]


def test_an_answer_waits_for_every_id() -> None:
    bodies = [bytes([k, link_protocol.IDENTIFY]) for k in range(256)]
    assert request(Requests(image_bytes=4), bodies) == [(k, 0x81) for k in range(256)]


def test_noise_does_not_crowd_out_requests() -> None:
    noise = [b""] * 300
    bodies = [bytes([k, link_protocol.COUNTERS]) for k in range(100)]
    waiting = request(Requests(image_bytes=4), noise + bodies)
    # half of the queue, and the one that has left it already
    assert waiting == [(link_protocol.NO_ID, link_protocol.DAMAGED)] * 129 + [
        (k, 0x83) for k in range(100)
    ]


def test_self_test_waits_for_an_idle_board() -> None:
    test, infer_one = (
        bytes([1, link_protocol.SELF_TEST]),
        bytes([0, link_protocol.INFER]) + bytes(4),
    )
    assert request(Requests(image_bytes=4), [test]) == [(1, 0x84)]
    assert request(Requests(image_bytes=4), [infer_one, test]) == [
        (0, 0x82),
        (1, link_protocol.BUSY),
    ]


def damaged(rng: random.Random) -> bytes:
    """A frame of an inference with one to three faults, which no part of it survives."""
    while True:
        bad = bytearray(frame(rng.randrange(255), link_protocol.INFER, rng.randbytes(SIZE)))
        for _ in range(rng.randint(1, 3)):
            match rng.randrange(3):
                case 0:
                    bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
                case 1:
                    del bad[rng.randrange(len(bad))]
                case _:
                    bad.insert(rng.randrange(len(bad)), rng.randrange(256))
        if not any(unframe(part) for part in bytes(bad).split(b"\0")):
            return bytes(bad) + b"\0"


def test_random_damage_never_reaches_the_accelerator(seed: int) -> None:
    rng, batch = random.Random(seed), images(12, seed)
    line = b"".join(
        damaged(rng) + frame(k, link_protocol.INFER, image) for k, image in enumerate(batch)
    )
    bench = Bench()
    got = bench.run(line, settle=80)
    assert bench.images == batch
    right = [part for part in got if part and part[1] == 0x82]
    assert right == [(k, 0x82, answer(image)) for k, image in enumerate(batch)]
    assert None not in got


@pytest.mark.parametrize("size", [1, 64, 784, 3072])
def test_buffer_holds_two_images(size: int) -> None:
    assert buffer_bytes(size) >= 2 * size
    assert slots(size) >= 2


def test_self_test_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="self-test answer of 2 bytes: must have 3"):
        Link(
            clock_hz=4_000_000,
            baud=1_000_000,
            image_bytes=1,
            score_bytes=3,
            identity=b"x",
            self_test=(b"a", b"ab"),
        )
