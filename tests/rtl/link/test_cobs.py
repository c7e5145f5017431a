# amaranth: UnusedElaboratable=no
"""Framing: the encoder equals the definition, and the decoder gives back what went in."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen.host import link_protocol
from rtl.link.cobs import Decoder, Encoder
from rtl.link.packet_fifo import PacketFifo
from tests.support.strategies import SEEDS
from tests.support.stream_runner import Stalls, run

BODIES = [
    b"\x00",
    b"\x00\x00",
    b"\x01",
    b"ab\x00c",
    bytes(range(256)),
    bytes(range(1, 255)),
    bytes(range(1, 256)),
    bytes(range(1, 255)) + b"\x00",
    b"x" * 600,
    b"y" * 254 + b"\x00" + b"z" * 254,
]


def encoded(body: bytes) -> bytes:
    """The definition, block by block, with the delimiter."""
    line, block = bytearray(), bytearray()

    def close() -> None:
        line.extend((len(block) + 1, *block))
        block.clear()

    for byte in body:
        if byte:
            block.append(byte)
        if not byte or len(block) == 254:
            close()
    if block or not body[-1]:
        close()
    return bytes(line) + b"\x00"


def encode(bodies: Iterable[bytes], stall: float, seed: int) -> bytes:
    """What the encoder sends for frames of `bodies`."""
    words = [
        {"data": byte, "last": k == len(body) - 1} for body in bodies for k, byte in enumerate(body)
    ]
    count = sum(len(encoded(body)) for body in bodies)
    return bytes(run(Encoder(), {"i": words}, {"o": count}, Stalls(stall, seed)).words["o"])


def decode(line: Iterable[tuple[int, int]], stall: float = 0.0) -> list[tuple[bytes, bool]]:
    """Frames that come out of (byte, error) pairs, and whether each is good."""
    words = [{"data": byte, "error": error} for byte, error in line]
    frames, body = [], bytearray()
    for part in run(Decoder(), {"i": words}, {"o": None}, Stalls(stall)).words["o"]:
        if part.end:
            frames.append((bytes(body), not part.error))
            body.clear()
        else:
            body.append(part.data)
    return frames


def good(line: bytes) -> list[tuple[int, int]]:
    return [(byte, 0) for byte in line]


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_encoder_equals_the_definition(stall: float) -> None:
    assert encode(BODIES, stall, 1) == b"".join(encoded(body) for body in BODIES)


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_decoder_gives_back_the_frames(stall: float) -> None:
    line = b"\x00" + b"\x00".join(encoded(body) for body in BODIES)
    assert decode(good(line), stall) == [(body, True) for body in BODIES]


@settings(max_examples=10)
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=3), SEEDS)
def test_host_and_hardware_undo_each_other(bodies: list[bytes], seed: int) -> None:
    line = encode(bodies, 0.2, seed)
    assert [link_protocol.unstuff(part) for part in line.split(b"\x00")[:-1]] == bodies
    line = b"".join(link_protocol.stuff(body) + b"\x00" for body in bodies)
    assert decode(good(line)) == [(body, True) for body in bodies]


def test_full_block_at_the_end_may_have_an_empty_one_behind_it() -> None:
    body = bytes(range(1, 255))
    assert decode(good(b"\xff" + body + b"\x01\x00")) == [(body, True)]


def test_cut_and_damaged_frames_are_told_and_the_next_is_whole() -> None:
    line = [*good(b"\x05ab\x00"), *good(b"\x03"), (0x61, 1), *good(b"b\x00"), (0, 1)]
    line += [*good(b"\x00"), *good(encoded(b"next"))]
    assert [ok for _, ok in decode(line)] == [False, False, False, True]
    assert decode(line)[-1][0] == b"next"


def test_wrong_depths_are_refused() -> None:
    with pytest.raises(ValueError, match="depth must be at least 512 bytes, not 256"):
        Encoder(depth=256)
    with pytest.raises(ValueError, match="power of two, at least 2, not 48"):
        PacketFifo(depth=48)
