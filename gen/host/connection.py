"""The host's side of the link (docs/link.md). Needs pyserial alone: see gen.deploy.bundle.

with BoardConnection.open("/dev/ttyUSB0", 1_000_000, network=digest) as device:
    labels = [answer.label for answer in device.predict(images)]
"""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from gen.host.frame_line import FrameLine
from gen.host.link_protocol import (
    ANSWER,
    BUSY,
    COUNTERS,
    IDENTIFY,
    INFER,
    LENGTH,
    LOAD_AGAIN,
    NO_ID,
    SELF_TEST,
    UNKNOWN,
    Answer,
    BoardCounters,
    BoardInfo,
    DeviceError,
    SelfTestResult,
    frame,
    unpack_answer,
    unpack_self_test,
)
from gen.host.pixels import pack_image

REFUSALS = {UNKNOWN: "unknown operation", LENGTH: "wrong length"}
MOST_OPEN = 100
"""Requests under way, at most: docs/link.md. Ids of open requests differ, and there are 255."""
TRIES = 3
TIMEOUT = 1.0
"""Seconds without any answer after which requests count as lost."""


class BoardConnection:
    """A board that runs an accelerator behind a link; for one thread of one program at a time."""

    def __init__(self, line: FrameLine, timeout: float) -> None:
        self._line, self.timeout = line, timeout
        self._ids = itertools.cycle(range(NO_ID))
        for _ in range(random.randrange(NO_ID)):  # start elsewhere than the program before
            next(self._ids)
        self._info: BoardInfo | None = None
        self.repeated = 0
        """Requests sent again."""

    @staticmethod
    def open(
        port: str,
        baud: int,
        *,
        network: str | None = None,
        design: str | None = None,
        info: BoardInfo | None = None,
        timeout: float = TIMEOUT,
    ) -> BoardConnection:
        """Opens the board at `port`. network, design: hashes that it must have, if given; info: all
        that it must say of itself.

        timeout: seconds without any answer after which requests count as lost. Raises DeviceError
        when the port is missing or in use, the board silent, or another one.
        """
        device = BoardConnection(FrameLine(port, baud, timeout), timeout)
        try:
            if info is not None:
                network, design = info.network, info.design
            device.check(network=network, design=design)
            device.check_info(info)
        except BaseException:
            device.close()
            raise
        return device

    def check(self, *, network: str | None = None, design: str | None = None) -> None:
        """DeviceError unless the board runs this network and this design."""
        info = self.info()
        for what, want, have in (
            ("network", network, info.network),
            ("design", design, info.design),
        ):
            if want is not None and want != have:
                raise DeviceError(
                    f"{self._line.port}: the board runs {what} {have[:12]}, not {want[:12]}; load "
                    "the bitstream of this build"
                )

    def check_info(self, want: BoardInfo | None) -> None:
        """DeviceError unless the board says of itself what is wanted, to the last field."""
        have = self.info().as_dict()
        for name, value in (want.as_dict() if want else {}).items():
            if have[name] != value:
                raise DeviceError(
                    f"{self._line.port}: the board says {name} {have[name]}, not {value}; "
                    f"{LOAD_AGAIN}"
                )

    @property
    def damaged(self) -> int:
        """Answers that came damaged."""
        return self._line.damaged

    def close(self) -> None:
        self._line.close()

    def __enter__(self) -> BoardConnection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def info(self) -> BoardInfo:
        """The board's answer to `identify`, which is asked for once."""
        if self._info is None:
            self.send(b"\0")  # ends a frame that another program may have left unfinished
            self._info = BoardInfo.unpack(self._ask(IDENTIFY))
        return self._info

    def counters(self) -> BoardCounters:
        """Counts of the board since its reset."""
        return BoardCounters.unpack(self._ask(COUNTERS))

    def self_test(self) -> SelfTestResult:
        """Runs the built-in image several times back to back; `counters` then have its cycles."""
        return unpack_self_test(self._ask(SELF_TEST), self.info())

    def predict(
        self, images: Iterable[Any], progress: Callable[[int], None] = lambda done: None
    ) -> list[Answer]:
        """Answers to a batch of images, in their order, sent as fast as the board takes them.

        images: each of height·width·channels integers in the input's range, channels innermost, as
        array, nested sequence or bytes. progress: called with images done.
        """
        info = self.info()
        packed = [pack_image(image, info) for image in images]
        answers: list[Answer] = [Answer((), 0)] * len(packed)
        requests = [(INFER, image) for image in packed]
        window = min(info.window, MOST_OPEN)
        for done, (i, answer) in enumerate(self._exchange(requests, window), start=1):
            answers[i] = unpack_answer(answer, info)
            progress(done)
        return answers

    def send(self, line: bytes) -> None:
        """Writes bytes to the line as they are, and does not wait for an answer."""
        self._line.send(line)

    def _ask(self, op: int) -> bytes:
        ((_, answer),) = self._exchange([(op, b"")], 1)
        return answer

    def _exchange(
        self, requests: Sequence[tuple[int, bytes]], window: int
    ) -> Iterator[tuple[int, bytes]]:
        """Yields index and answer of each request as they come, and sends lost requests again.

        The board answers in the order of the requests: those sent before an answered one and still
        open are lost. window: most requests under way.
        """
        todo, sent = deque(range(len(requests))), dict[int, int]()
        progress = time.monotonic()
        while todo or sent:
            while todo and len(sent) < window:
                ident = next(i for i in self._ids if i not in sent)
                sent[ident] = todo.popleft()
                self.send(frame(ident, *requests[sent[ident]]))
            answer = self._line.receive(self.timeout)
            if answer is None:
                self._repeat(list(sent), sent, todo)
                self.send(b"\0")  # ends a frame whose own end was lost
            elif self._expected(answer, sent, requests):
                ident, code, payload = answer
                order = list(sent)
                before = order.index(ident)
                self._repeat(order[: before + (code == BUSY)], sent, todo)
                if code != BUSY:
                    yield sent.pop(ident), payload
                    progress = time.monotonic()
            if time.monotonic() - progress > TRIES * self.timeout:
                raise DeviceError(self._give_up_message(answer))

    def _expected(
        self,
        answer: tuple[int, int, bytes],
        sent: dict[int, int],
        requests: Sequence[tuple[int, bytes]],
    ) -> bool:
        """Whether an answer belongs to an open request; DeviceError if the board refused that.

        Other frames answer requests that were repeated since, or report damaged frames.
        """
        ident, code, _ = answer
        if ident not in sent:
            return False
        if code in (UNKNOWN, LENGTH):
            raise DeviceError(f"{self._line.port}: request refused: {REFUSALS[code]}")
        return code == BUSY or code == requests[sent[ident]][0] | ANSWER

    def _repeat(self, lost: Sequence[int], sent: dict[int, int], todo: deque[int]) -> None:
        self.repeated += len(lost)
        todo.extendleft(sent.pop(ident) for ident in reversed(lost))

    def _give_up_message(self, answer: tuple[int, int, bytes] | None) -> str:
        if answer is not None and answer[1] != BUSY:
            return (
                f"{self._line.port}: no answer to what was asked within {TRIES * self.timeout:g} s,"
                f" only others; {LOAD_AGAIN}"
            )
        if answer is not None:
            return f"{self._line.port}: the board stays busy; try again later"
        return (
            f"{self._line.port}: no answer within {TRIES * self.timeout:g} s at "
            f"{self._line.baud} baud; is it this port, and is the bitstream loaded?"
        )
