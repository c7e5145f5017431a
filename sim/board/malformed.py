"""Malformed frames by category, as noise, broken programs and two programs at once make them."""

from __future__ import annotations

import random
from collections.abc import Callable

from gen.host import link_protocol
from gen.host.link_protocol import frame, unframe

NOISE = 40


def _flip(rng: random.Random, good: bytes) -> bytes:
    bad = bytearray(good)
    for _ in range(rng.randint(1, 8)):
        bad[rng.randrange(len(bad) - 1)] ^= 1 << rng.randrange(8)
    return bytes(bad)


def _lose(rng: random.Random, good: bytes) -> bytes:
    at = rng.randrange(len(good) - 1)
    return good[:at] + good[at + rng.randint(1, 3) :]


def _insert(rng: random.Random, good: bytes) -> bytes:
    at = rng.randrange(1, len(good))
    return good[:at] + rng.randbytes(rng.randint(1, 3)) + good[at:]


def _cut(rng: random.Random, good: bytes) -> bytes:
    return good[: rng.randrange(1, len(good) - 1)]


def _interleave(rng: random.Random, good: bytes) -> bytes:
    """Two frames in one another, as two programs on one line would send them."""
    other = frame(link_protocol.NO_ID, link_protocol.INFER, rng.randbytes(len(good)))
    cuts = sorted(rng.sample(range(1, len(good) - 1), 2))
    return good[: cuts[0]] + other[:-1] + good[cuts[0] : cuts[1]] + other[:3] + good[cuts[1] :]


def _unknown(rng: random.Random, good: bytes) -> bytes:
    op = rng.choice([0, *range(link_protocol.SELF_TEST + 1, 256)])
    return frame(link_protocol.NO_ID, op, rng.randbytes(rng.randrange(20)))


def _wrong_length(rng: random.Random, good: bytes) -> bytes:
    size = len(good)
    return frame(
        link_protocol.NO_ID, link_protocol.INFER, rng.randbytes(rng.choice([0, 1, size, 5 * size]))
    )


def _swapped(rng: random.Random, good: bytes) -> bytes:
    raw = link_protocol.unstuff(good[:-1])
    assert raw is not None
    at = rng.randrange(2, len(raw) - 4)
    body = raw[:at] + raw[at:][::-1]
    return link_protocol.stuff(body) + b"\0"


def _noise(rng: random.Random, good: bytes) -> bytes:
    return rng.randbytes(rng.randint(1, NOISE))


def _zeros(rng: random.Random, good: bytes) -> bytes:
    return b"\x01" * rng.randint(1, NOISE)


CATEGORIES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "bits flipped": _flip,
    "bytes lost": _lose,
    "bytes added": _insert,
    "cut short": _cut,
    "interleaved": _interleave,
    "unknown operation": _unknown,
    "wrong length": _wrong_length,
    "bytes out of order": _swapped,
    "noise": _noise,
    "zeros": _zeros,
}


def malformed(rng: random.Random, category: str, good: bytes) -> bytes:
    """Bytes of a fault of one category, delimiter included; none of its frames asks for an
    inference."""
    while True:
        line = CATEGORIES[category](rng, good).rstrip(b"\0") + b"\0"
        requests = [request for part in line.split(b"\0") if (request := unframe(part))]
        if line != good and all(request[0] == link_protocol.NO_ID for request in requests):
            return line
