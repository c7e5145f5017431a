"""The host against a device in Python behind a pseudo-terminal, which fails as it is told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.host import link_protocol
from gen.host.connection import MOST_OPEN, BoardConnection
from gen.host.link_protocol import (
    Answer,
    DeviceError,
    frame,
    stuff,
    unframe,
    unstuff,
)
from gen.host.pixels import pack_image
from model.errors import RequestError
from tests.support.fake_board import ANSWERS, IMAGES, INFO, Reply, answer, connected, right_reply


def once(fault: Callable[[int, int, bytes], bytes | None]) -> Reply:
    """`fault` for the second inference only, else what is right."""
    seen = 0

    def reply(ident: int, op: int, payload: bytes) -> bytes:
        nonlocal seen
        seen += op == link_protocol.INFER
        if (
            op == link_protocol.INFER
            and seen == 2
            and (bad := fault(ident, op, payload)) is not None
        ):
            return bad
        return right_reply(ident, op, payload)

    return reply


def test_predict_keeps_the_window_and_the_order() -> None:
    with connected() as (board, fake):
        assert board.info() == INFO
        assert board.predict(np.array(IMAGES)) == ANSWERS
        assert fake.most <= INFO.window
        assert (board.damaged, board.repeated) == (0, 0)
        assert board.predict([]) == []
        assert board.self_test() == (False, Answer((-5, 5), 1))
        assert board.counters().latency_cycles == 0x03020100


@pytest.mark.parametrize(
    ("fault", "damaged"),
    [
        (lambda *request: b"", 0),
        (lambda *request: right_reply(*request)[:5] + b"\0", 1),
        (lambda *request: right_reply(*request)[:-1], 1),  # runs into the next
        (lambda ident, *_: frame(ident, link_protocol.BUSY), 0),
        (lambda *_: frame(link_protocol.NO_ID, link_protocol.DAMAGED), 0),
        (lambda *request: b"\xff noise" + right_reply(*request), 1),
        (
            lambda ident, *_: frame(
                (ident + 100) % 255, link_protocol.INFER | link_protocol.ANSWER, answer(b"1234")
            ),
            0,
        ),
        (
            lambda ident, *_: frame(
                ident, link_protocol.IDENTIFY | link_protocol.ANSWER, INFO.pack()
            ),
            0,
        ),
    ],
)
def test_what_is_lost_is_asked_again(fault: Reply, damaged: int) -> None:
    with connected(once(fault)) as (board, _):
        assert board.predict(IMAGES) == ANSWERS
        assert board.damaged == damaged
        assert 1 <= board.repeated <= INFO.window


def test_lost_last_answer_is_asked_again_after_the_time_out() -> None:
    with connected(once(lambda *request: b"")) as (board, _):
        assert board.predict(IMAGES[:2]) == ANSWERS[:2]
        assert board.repeated == 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (lambda *request: b"", "no answer within 0.15 s at 1000000 baud; is it this port"),
        (
            lambda ident, *_: frame(ident, link_protocol.BUSY),
            "the board stays busy; try again later",
        ),
        (
            lambda ident, *_: frame(ident, link_protocol.UNKNOWN),
            "request refused: unknown operation",
        ),
        (
            lambda ident, *_: frame(ident, 0x81, replace(INFO, protocol=9).pack()),
            "speaks version 9 of the link, this program 1; build the board again",
        ),
    ],
)
def test_device_that_cannot_serve(reply: Reply, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        with connected(reply, timeout=0.05):
            pass


def told(op: int, payload: bytes) -> Reply:
    """The right answers, but for those to `op`, which all have this payload."""

    def reply(ident: int, asked: int, content: bytes) -> bytes:
        if asked == op:
            return frame(ident, op | link_protocol.ANSWER, payload)
        return right_reply(ident, asked, content)

    return reply


@pytest.mark.parametrize(
    ("op", "payload", "message"),
    [
        (link_protocol.IDENTIFY, b"", "speaks version ? of the link"),
        (link_protocol.IDENTIFY, b"\1", "answers identify with 1 bytes, not 87"),
        (link_protocol.IDENTIFY, INFO.pack() + b"\0", "answers identify with 88 bytes, not 87"),
        (
            link_protocol.IDENTIFY,
            replace(INFO, classes=0).pack(),
            "says classes 0: must be 1 to 256",
        ),
        (link_protocol.IDENTIFY, replace(INFO, window=0).pack(), "says window 0: must be 1 to"),
        (link_protocol.IDENTIFY, replace(INFO, input_bits=9).pack(), "input_bits 9: must be 1 to"),
        (link_protocol.COUNTERS, b"", "answers counters with 0 bytes, not 18"),
        (link_protocol.COUNTERS, bytes(19), "answers counters with 19 bytes, not 18"),
        (link_protocol.SELF_TEST, b"", "answers self-test with 0 bytes, not 6"),
        (link_protocol.SELF_TEST, b"\1\0\0\0\0\7", "self-test ends with 7, not 0 or 1"),
        (link_protocol.SELF_TEST, b"\1\0\0\0\1\1", "answers class 1, one of 2; its largest"),
        (link_protocol.INFER, b"\1\0\0", "answers infer with 3 bytes, not 5"),
        (link_protocol.INFER, b"\1\0\0\0\xc8", "answers class 200, no class of 2; its largest"),
        (link_protocol.INFER, b"\1\0\2\0\0", "answers class 0, one of 2; its largest score is th"),
        (link_protocol.INFER, b"\1\0\1\0\1", "answers class 1, one of 2; its largest score is th"),
    ],
)
def test_wrong_contents_are_refused(op: int, payload: bytes, message: str) -> None:
    """With right ids and CRCs."""

    def ask() -> None:
        with connected(told(op, payload)) as (board, _):
            board.counters()
            board.self_test()
            board.predict(IMAGES)

    with pytest.raises(DeviceError, match=re.escape(message)) as error:
        ask()
    assert "\n" not in str(error.value)


def test_window_beyond_the_ids_is_not_filled() -> None:
    """There are 255 ids; who waits for a free one while 65,535 may be open waits for ever."""
    wide = replace(INFO, window=65535)
    with connected(told(link_protocol.IDENTIFY, wide.pack())) as (board, fake):
        assert board.predict(IMAGES * 60) == ANSWERS * 60
        assert fake.most <= MOST_OPEN


def test_wrong_answers_for_ever_end() -> None:
    def other(ident: int, op: int, payload: bytes) -> bytes:
        wrong = frame((ident + 9) % 255, op | link_protocol.ANSWER, payload)
        return right_reply(ident, op, payload) if op == link_protocol.IDENTIFY else wrong

    with connected(other, timeout=0.05) as (board, _):
        with pytest.raises(DeviceError, match=r"no answer to what was asked|no answer within"):
            board.counters()


@pytest.mark.parametrize("change", [*INFO.as_dict()])
def test_board_that_says_anything_else_of_itself_is_refused(change: str) -> None:
    value = getattr(INFO, change)
    other: Any = "0" * 64
    if not isinstance(value, str):
        other = not value if isinstance(value, bool) else value + 1
    with connected(told(link_protocol.IDENTIFY, INFO.pack())) as (board, _):
        with pytest.raises(DeviceError, match=f"the board says {change} .*, not .*; is the bits"):
            board.check_info(replace(INFO, **{change: other}))
        board.check_info(INFO)
        board.check_info(None)


OPS = (
    link_protocol.IDENTIFY,
    link_protocol.COUNTERS,
    link_protocol.SELF_TEST,
    link_protocol.INFER,
)


@st.composite
def contents(draw: st.DrawFn, op: int) -> bytes:
    """A right answer with bytes changed, put in or left out; or any bytes."""
    right = unframe(right_reply(1, op, bytes(IMAGES[0][0][0] + IMAGES[0][0][1]))[:-1])
    assert right is not None
    payload = bytearray(right[2])
    for at, value in draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)))):
        payload[at % len(payload)] = value
    cut = draw(st.integers(0, len(payload)))
    return draw(st.sampled_from((bytes(payload), bytes(payload[:cut])))) or draw(st.binary())


@given(st.data())
def test_whatever_a_board_answers_is_right_or_refused(data: st.DataObject) -> None:
    """Soon, and in one line."""
    op = data.draw(st.sampled_from(OPS))
    payload, code = data.draw(contents(op)), data.draw(st.none() | st.integers(0, 255))

    def reply(ident: int, asked: int, content: bytes) -> bytes:
        if asked != op:
            return right_reply(ident, asked, content)
        return frame(ident, op | link_protocol.ANSWER if code is None else code, payload)

    began = time.monotonic()
    try:
        with connected(reply, timeout=0.02) as (board, _):
            info = board.info()
            assert board.counters().inferences >= 0
            board.self_test()
            for scores, label in board.predict(IMAGES):
                assert len(scores) == info.classes
                assert label == scores.index(max(scores))
    except (DeviceError, RequestError) as error:
        lines = str(error).splitlines()
    else:
        lines = ["right"]
    assert len(lines) == 1
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("image", ["abcd", b"abc", 3, None, [[[[[1, 2, 3, 4]]]]], ["a"], [[b"a"]]])
def test_what_is_no_image_is_refused(image: object) -> None:
    with pytest.raises(RequestError, match=r"image|pixel"):
        pack_image(image, INFO)


def test_missing_port(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="none: cannot be opened: No such file or directory"):
        BoardConnection.open(str(tmp_path / "none"), 115200)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([1, 2, 3], "image of 3 values: must have 1·2·2 = 4"),
        ([1, 2, 3, 32], "pixel 32: must be 0 to 31"),
        ([-1, 2, 3, 4], "pixel -1: must be 0 to 31"),
        ([0.5, 2, 3, 4], "pixel 0.5: must be an integer"),
    ],
)
def test_wrong_images_are_refused(image: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_image(image, INFO)


def test_signed_pixels_are_packed_in_twos_complement() -> None:
    signed = replace(INFO, input_signed=True)
    assert pack_image(np.array([[[-16, 15], [0, -1]]]), signed) == b"\xf0\x0f\0\xff"


@pytest.mark.parametrize("size", [1, 2, 253, 254, 255, 508, 509])
def test_stuffing_and_back(size: int) -> None:
    for body in (bytes(size), b"\1" * size, b"\1" * size + b"\0", (b"\0" + b"\1" * size) * 2):
        line = stuff(body)
        assert 0 not in line
        assert len(line) <= len(body) + len(body) // 254 + 2
        assert unstuff(line) == body
    assert unstuff(b"\5ab") is None
