"""A board in Python behind a pseudo-terminal, which answers as it is told, wrong too."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gen.host import link_protocol
from gen.host.connection import BoardConnection
from gen.host.link_protocol import Answer, BoardInfo, frame, unframe

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


def right_reply(ident: int, op: int, payload: bytes) -> bytes:
    """What a device without faults answers."""
    content = {
        link_protocol.IDENTIFY: INFO.pack(),
        link_protocol.INFER: answer(payload) if op == link_protocol.INFER else b"",
        link_protocol.COUNTERS: bytes(range(18)),
        link_protocol.SELF_TEST: answer(b"\5\0\0\0") + b"\0",
    }[op]
    return frame(ident, op | link_protocol.ANSWER, content)


class FakeBoard:
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
            requests = [request for line in lines if (request := unframe(line))]
            self.most = max(self.most, sum(op == link_protocol.INFER for _, op, _ in requests))
            self.requests += requests
            for request in requests:
                os.write(self.near, self.reply(*request))
            if received == b"end":
                return

    def close(self) -> None:
        os.write(self.far, b"end")
        self.thread.join()
        os.close(self.near)
        os.close(self.far)


@contextmanager
def connected(
    reply: Reply = right_reply, timeout: float = 0.2
) -> Iterator[tuple[BoardConnection, FakeBoard]]:
    fake = FakeBoard(reply)
    try:
        with BoardConnection.open(fake.port, 1_000_000, timeout=timeout) as connection:
            yield connection, fake
    finally:
        fake.close()
