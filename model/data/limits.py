"""What may be opened and how much memory it may take, checked before either is done."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from model.errors import ShiftaddError

LIMIT_VARIABLE = "SHIFTADD_DATA_LIMIT"
"""Name of the environment variable with another limit, in MiB."""
LIMIT = 1024
"""MiB that the numbers of one data set may take."""
SMALL, RATIO = 64 << 20, 200
"""Bytes of a compressed part above which it may not expand by more than this."""
MAX_PIXELS = 1 << 22
"""Of one image."""


class DataError(ShiftaddError, ValueError):
    """A data set is missing, damaged or of the wrong form; the message says the way out.

    One line, whatever names of files, classes and columns hold.
    """

    def __init__(self, said: str):
        super().__init__(
            "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said)
        )


def check_bytes(what: object, wanted: int, packed: int | None = None) -> None:
    """DataError where `wanted` bytes are more than a data set may take.

    packed: bytes of the compressed form, if there is one; real data do not expand without end.
    """
    said = os.environ.get(LIMIT_VARIABLE, "")
    limit = int(said) if said.isdecimal() and len(said) < 9 else LIMIT
    if wanted > limit << 20:
        raise DataError(
            f"{what}: {wanted / 2**20:,.0f} MiB of numbers, more than {limit} MiB; give fewer or "
            f"smaller ones, or set {LIMIT_VARIABLE} to the MiB that it may take"
        )
    if packed is not None and wanted > SMALL and wanted > RATIO * packed:
        raise DataError(
            f"{what}: {packed:,} bytes expand to {wanted / 2**20:,.0f} MiB; "
            f"no data compress by more than {RATIO}, so it is not read"
        )


def size_of(path: Path) -> int:
    """Bytes of a plain file; DataError for what is none, as a FIFO would be waited for."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from None
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path}: is no plain file; take it away, or give the file that is meant")
    return status.st_size


def content_of(path: Path) -> bytes:
    """A plain file of bounded size. Raises DataError."""
    check_bytes(path, size_of(path))
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
