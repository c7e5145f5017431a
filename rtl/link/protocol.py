"""Numbers of the link's protocol, version 1, as docs/link.md gives them."""

from __future__ import annotations

from enum import IntEnum

from amaranth.lib import data
from amaranth.lib.crc import Algorithm
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC

VERSION = 1
NO_ID = 0xFF
"""Id of an answer to a frame whose own id cannot be trusted."""
OVERHEAD = 6
"""Bytes of a frame beside its payload: id, operation and CRC."""

# The CRC of zip files, which every host language has. With 16 bits, one of 65,536 damaged frames
# would pass for a right one.
CHECK: Algorithm = CRC32_ISO_HDLC


class Op(IntEnum):
    """What a request asks; its answer carries the same number plus ANSWER."""

    IDENTIFY = 1
    INFER = 2
    COUNTERS = 3
    SELF_TEST = 4


ANSWER = 0x80


class Refusal(IntEnum):
    """Answers without payload, to requests that had no effect."""

    DAMAGED = 0xE1
    UNKNOWN = 0xE2
    LENGTH = 0xE3
    BUSY = 0xE4


REQUEST = data.StructLayout({"id": 8, "code": 8})
"""A request as it waits: its id, and the code that its answer will have."""
FAULTS = data.StructLayout({"damaged": 16, "refused": 16, "busy": 16})
"""Frames not served, modulo 65536: damaged; unknown or of a wrong length; turned away."""
TIMES = data.StructLayout({"latency": 32, "interval": 32})
"""Cycles, see rtl.link.stopwatch."""
