"""The host against a device in Python behind a pseudo-terminal, which fails as it is told."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gen.host import link_protocol
from gen.host.connection import BoardConnection
from gen.host.link_protocol import (
    Answer,
    BoardInfo,
    DeviceError,
    frame,
    pack_image,
    stuff,
    unframe,
    unstuff,
)

INFO = BoardInfo(
    protocol=1,
    design="ab" * 32,
    network="cd" * 32,
    height=1,
    width=2,
    channels=2,
    input_bits=5,
    input_signed=False,
    classes=2,
    score_bytes=2,
    score_signed=True,
    clock_hz=12_000_000,
    baud=1_000_000,
    window=3,
)
IMAGES = [[[[a, b], [1, 31]]] for a, b in ((0, 1), (2, 0), (0, 0), (7, 7), (9, 2), (3, 31))]
Reply = Callable[[int, int, bytes], bytes]


def answer(image: bytes) -> bytes:
    """Scores: minus the first pixel, the sum of all."""
    return (-image[0]).to_bytes(2, "little", signed=True) + sum(image).to_bytes(2, "little") + b"\1"


ANSWERS = [Answer((-i[0][0][0], sum(i[0][0]) + 32), 1) for i in IMAGES]


def right(ident: int, op: int, payload: bytes) -> bytes:
    """What a device without faults answers."""
    content = {
        link_protocol.IDENTIFY: INFO.pack(),
        link_protocol.INFER: answer(payload) if op == link_protocol.INFER else b"",
        link_protocol.COUNTERS: bytes(range(18)),
        link_protocol.SELF_TEST: answer(b"\5\0\0\0") + b"\0",
    }[op]
    return frame(ident, op | link_protocol.ANSWER, content)


class Fake:
    """Answers each request with what `reply` gives for it; `most` requests arrived at once."""

    def __init__(self, reply: Reply) -> None:
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        self.port = os.ttyname(self.far)
        self.reply, self.most, self.requests = reply, 0, list[tuple[int, int, bytes]]()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        received = b""
        while True:
            received += os.read(self.near, 4096)
            *lines, received = received.split(b"\0")
            found = [request for line in lines if (request := unframe(line))]
            self.most = max(self.most, sum(op == link_protocol.INFER for _, op, _ in found))
            self.requests += found
            for request in found:
                os.write(self.near, self.reply(*request))
            if received == b"end":
                return

    def close(self) -> None:
        os.write(self.far, b"end")
        self.thread.join()
        os.close(self.near)
        os.close(self.far)


@contextmanager
def device(reply: Reply = right, timeout: float = 0.2) -> Iterator[tuple[BoardConnection, Fake]]:
    fake = Fake(reply)
    try:
        with BoardConnection.open(fake.port, 1_000_000, timeout=timeout) as found:
            yield found, fake
    finally:
        fake.close()


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
        return right(ident, op, payload)

    return reply


def test_predict_keeps_the_window_and_the_order() -> None:
    with device() as (found, fake):
        assert found.info() == INFO
        assert found.predict(np.array(IMAGES)) == ANSWERS
        assert fake.most <= INFO.window
        assert (found.damaged, found.repeated) == (0, 0)
        assert found.predict([]) == []
        assert found.self_test() == (False, Answer((-5, 5), 1))
        assert found.counters().latency_cycles == 0x03020100


@pytest.mark.parametrize(
    ("fault", "damaged"),
    [
        (lambda *request: b"", 0),
        (lambda *request: right(*request)[:5] + b"\0", 1),
        (lambda *request: right(*request)[:-1], 1),  # runs into the next
        (lambda ident, *_: frame(ident, link_protocol.BUSY), 0),
        (lambda *_: frame(link_protocol.NO_ID, link_protocol.DAMAGED), 0),
        (lambda *request: b"\xff noise" + right(*request), 1),
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
    with device(once(fault)) as (found, _):
        assert found.predict(IMAGES) == ANSWERS
        assert found.damaged == damaged
        assert 1 <= found.repeated <= INFO.window


def test_lost_last_answer_is_asked_again_after_the_time_out() -> None:
    with device(once(lambda *request: b"")) as (found, _):
        assert found.predict(IMAGES[:2]) == ANSWERS[:2]
        assert found.repeated == 1


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
        with device(reply, timeout=0.05):
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
