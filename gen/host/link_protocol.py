"""Frames and payloads of the link: docs/link.md. Needs Python alone: see gen.deploy.bundle."""

from __future__ import annotations

import binascii
import struct
from dataclasses import asdict, astuple, dataclass
from typing import Any, NamedTuple

from model.errors import ShiftaddError

VERSION = 1
NO_ID = 0xFF
IDENTIFY, INFER, COUNTERS, SELF_TEST = 1, 2, 3, 4
ANSWER = 0x80
DAMAGED, UNKNOWN, LENGTH, BUSY = 0xE1, 0xE2, 0xE3, 0xE4
LOAD_AGAIN = "is the bitstream of this build loaded?"


class DeviceError(ShiftaddError):
    """The device is missing, silent, busy or another one; the message says the way out."""

    exit_status = 1


@dataclass(frozen=True)
class BoardInfo:
    """What a board is. design, network: SHA-256 in hexadecimal. window: images that it can hold."""

    protocol: int
    design: str
    network: str
    height: int
    width: int
    channels: int
    input_bits: int
    input_signed: bool
    classes: int
    score_bytes: int
    score_signed: bool
    clock_hz: int
    baud: int
    window: int

    @property
    def image_bytes(self) -> int:
        return self.height * self.width * self.channels

    @property
    def answer_bytes(self) -> int:
        return self.classes * self.score_bytes + 1

    @property
    def input_range(self) -> tuple[int, int]:
        """Least and largest value of a pixel."""
        low = -(1 << (self.input_bits - 1)) if self.input_signed else 0
        return low, low + (1 << self.input_bits) - 1

    def problem(self) -> str | None:
        """The first thing that no board can be, in words; None for a description that can be true.

        Every value must be of its type already, as it is behind `unpack`.
        """
        sizes = {"protocol": (VERSION, VERSION), "input_bits": (1, 8), "classes": (1, 256)}
        sizes |= {"score_bytes": (1, 8)}
        sizes |= dict.fromkeys(("height", "width", "channels", "window"), (1, (1 << 16) - 1))
        sizes |= dict.fromkeys(("clock_hz", "baud"), (1, (1 << 32) - 1))
        for name, (least, most) in sizes.items():
            if not least <= (value := getattr(self, name)) <= most:
                return f"{name} {value}: must be {least} to {most}"
        for digest in (self.design, self.network):
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                return f"{ascii(digest)[:80]}: must be a SHA-256 in hexadecimal"
        return None

    def pack(self) -> bytes:
        """Payload of the answer to `identify`."""
        fields = list(astuple(self))
        fields[1:3] = (bytes.fromhex(digest) for digest in fields[1:3])
        return _INFO.pack(*fields)

    @staticmethod
    def unpack(payload: bytes) -> BoardInfo:
        """Raises DeviceError for another version of the protocol, and for what cannot be."""
        if not payload or payload[0] != VERSION:
            raise DeviceError(
                f"the board speaks version {payload[0] if payload else '?'} of the link, this "
                f"program {VERSION}; build the board again, or take the program that came with it"
            )
        _check_size("identify", payload, _INFO.size)
        protocol, design, network, *rest = _INFO.unpack(payload)
        info = BoardInfo(protocol, design.hex(), network.hex(), *rest)
        if problem := info.problem():
            raise DeviceError(f"the board says {problem}; {LOAD_AGAIN}")
        return info

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_INFO = struct.Struct("<B32s32sHHHB?HB?IIH")


@dataclass(frozen=True)
class BoardCounters:
    """Counted by a board: cycles of the accelerator, images answered, frames refused by reason."""

    latency_cycles: int
    interval_cycles: int
    inferences: int
    damaged: int
    refused: int
    busy: int

    @staticmethod
    def unpack(payload: bytes) -> BoardCounters:
        """Raises DeviceError for an answer of another length."""
        _check_size("counters", payload, _COUNTERS.size)
        return BoardCounters(*_COUNTERS.unpack(payload))


_COUNTERS = struct.Struct("<IIIHHH")


class Answer(NamedTuple):
    """Scores by class, and the index of the first largest."""

    scores: tuple[int, ...]
    label: int


class SelfTestResult(NamedTuple):
    """Whether all answers to the built-in image were right, and the last of them."""

    passed: bool
    answer: Answer


def unpack_answer(payload: bytes, info: BoardInfo) -> Answer:
    """Scores and class in the answer to an image. DeviceError for what no right board answers: a
    class that is not the first of the largest score, or another length."""
    _check_size("infer", payload, info.answer_bytes)
    parts = (
        payload[k : k + info.score_bytes] for k in range(0, len(payload) - 1, info.score_bytes)
    )
    scores = tuple(int.from_bytes(s, "little", signed=info.score_signed) for s in parts)
    label, best = payload[-1], scores.index(max(scores))
    if label != best:
        what = f"one of {info.classes}" if label < info.classes else f"no class of {info.classes}"
        raise DeviceError(
            f"the board answers class {label}, {what}; its largest score is that of {best}; "
            f"{LOAD_AGAIN}"
        )
    return Answer(scores, label)


def unpack_self_test(payload: bytes, info: BoardInfo) -> SelfTestResult:
    """Raises DeviceError as `unpack_answer`."""
    _check_size("self-test", payload, info.answer_bytes + 1)
    if payload[-1] > 1:
        raise DeviceError(f"the board's self-test ends with {payload[-1]}, not 0 or 1")
    return SelfTestResult(payload[-1] == 1, unpack_answer(payload[:-1], info))


def _check_size(request: str, payload: bytes, size: int) -> None:
    if len(payload) != size:
        raise DeviceError(
            f"the board answers {request} with {len(payload)} bytes, not {size}; {LOAD_AGAIN}"
        )


def frame(ident: int, op: int, payload: bytes = b"") -> bytes:
    """A request or an answer as it goes over the line: COBS of id, operation, payload and CRC-32,
    with the delimiter."""
    body = bytes([ident, op]) + payload
    return stuff(body + binascii.crc32(body).to_bytes(4, "little")) + b"\0"


def unframe(line: bytes) -> tuple[int, int, bytes] | None:
    """Id, operation and payload of a frame without its delimiter; None when it is damaged."""
    body = unstuff(line)
    if body is None or len(body) < 6:
        return None
    if binascii.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
        return None
    return body[0], body[1], body[2:-4]


def stuff(body: bytes) -> bytes:
    """COBS (consistent overhead byte stuffing) of `body`, without a delimiter."""
    line = bytearray()
    for part in body.split(b"\0"):
        while len(part) >= 254:
            line += b"\xff" + part[:254]
            part = part[254:]
        line += bytes([len(part) + 1]) + part
    return bytes(line)


def unstuff(line: bytes) -> bytes | None:
    """Inverse of `stuff`; None where the last block is cut short."""
    body, at = bytearray(), 0
    while at < len(line):
        length = line[at]
        if length == 0 or at + length > len(line):
            return None
        body += line[at + 1 : at + length]
        at += length
        if length < 255 and at < len(line):
            body.append(0)
    return bytes(body)
