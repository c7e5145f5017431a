"""Frames and payloads of the link: docs/link.md. Needs Python alone: see gen.deploy.bundle."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from typing import Any, NamedTuple

from model.errors import RequestError, ShiftaddError

VERSION = 1
NO_ID = 0xFF
IDENTIFY, INFER, COUNTERS, SELF_TEST = 1, 2, 3, 4
ANSWER = 0x80
DAMAGED, UNKNOWN, LENGTH, BUSY = 0xE1, 0xE2, 0xE3, 0xE4


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

    def pack(self) -> bytes:
        """Payload of the answer to `identify`."""
        fields = list(astuple(self))
        fields[1:3] = (bytes.fromhex(digest) for digest in fields[1:3])
        return _INFO.pack(*fields)

    @staticmethod
    def unpack(payload: bytes) -> BoardInfo:
        """Raises DeviceError for another version of the protocol."""
        if not payload or payload[0] != VERSION:
            raise DeviceError(
                f"the board speaks version {payload[0] if payload else '?'} of the link, this "
                f"program {VERSION}; build the board again, or take the program that came with it"
            )
        protocol, design, network, *rest = _INFO.unpack(payload)
        return BoardInfo(protocol, design.hex(), network.hex(), *rest)

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


def pack_image(image: Any, info: BoardInfo) -> bytes:
    """An image as bytes; RequestError when its size or a value does not fit the input."""
    values = list(image if isinstance(image, bytes | bytearray) else _flat(image))
    if len(values) != info.image_bytes:
        raise RequestError(
            f"image of {len(values)} values: must have {info.height}·{info.width}·"
            f"{info.channels} = {info.image_bytes}"
        )
    low = -(1 << (info.input_bits - 1)) if info.input_signed else 0
    high = low + (1 << info.input_bits) - 1
    for value in (min(values), max(values)):
        if not low <= value <= high:
            raise RequestError(f"pixel {value}: must be {low} to {high}")
    return bytes(value & 0xFF for value in values)


def _flat(image: Any) -> Iterator[int]:
    if hasattr(image, "tolist"):
        image = image.tolist()
    for part in image:
        if isinstance(part, int):
            yield part
        elif hasattr(part, "__iter__") or hasattr(part, "tolist"):
            yield from _flat(part)
        else:
            raise RequestError(f"pixel {part}: must be an integer")
