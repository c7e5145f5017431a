"""Frames over a board's serial line. Needs pyserial alone: see gen.deploy.bundle."""

from __future__ import annotations

import os
import time
from collections import deque

import serial

from gen.host.link_protocol import DeviceError, unframe

LONGEST = 65536
"""Bytes without a delimiter that are kept; of more, only the last."""


class FrameLine:
    """The serial line at `port`, opened for this program alone.

    timeout: seconds that one read waits; ten times that for a write. Raises DeviceError when the
    port is missing or in use, and from `send` and `receive` when the line breaks.
    """

    def __init__(self, port: str, baud: int, timeout: float) -> None:
        self.port, self.baud = port, baud
        self._serial = _open(port, baud, timeout)
        self._received = bytearray()
        self._frames: deque[bytes] = deque()
        self.damaged = 0
        """Frames that came damaged."""

    def close(self) -> None:
        self._serial.close()

    def send(self, line: bytes) -> None:
        """Writes bytes as they are."""
        try:
            self._serial.write(line)
        except OSError as error:
            raise self._unplugged(error) from error

    def receive(self, timeout: float) -> tuple[int, int, bytes] | None:
        """Id, operation and payload of the next undamaged frame; None when none comes in `timeout`
        seconds."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            while self._frames:
                line = self._frames.popleft()
                if (parsed := unframe(line)) is not None:
                    return parsed
                self.damaged += bool(line)
            try:
                self._received += self._serial.read(max(1, self._serial.in_waiting))
            except OSError as error:
                raise self._unplugged(error) from error
            *frames, rest = self._received.split(b"\0")
            self._frames.extend(bytes(line) for line in frames)
            self._received = rest[-LONGEST:]
        return None

    def _unplugged(self, error: OSError) -> DeviceError:
        return DeviceError(f"{self.port}: the line broke ({error}); plug the board in again")


def _open(port: str, baud: int, timeout: float) -> serial.Serial:
    exclusive = True if os.name == "posix" else None
    try:
        return serial.Serial(
            port, baud, timeout=timeout, write_timeout=10 * timeout, exclusive=exclusive
        )
    except (OSError, ValueError) as error:
        raise DeviceError(_open_message(port, baud, error)) from error


def _open_message(port: str, baud: int, error: Exception) -> str:
    if isinstance(error, ValueError):
        return f"{port}: {baud} baud: {error}"
    if "lock" in str(error).lower():
        return f"{port}: in use by another program; close that first"
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
    return f"{port}: cannot be opened: {reason}; is the board plugged in, and may you use its port?"
