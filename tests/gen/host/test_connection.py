"""The host against a device in Python behind a pseudo-terminal, which fails as it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gen.host import link_protocol
from gen.host.connection import BoardConnection
from gen.host.link_protocol import (
    Answer,
    DeviceError,
    frame,
    pack_image,
    stuff,
    unstuff,
)
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
