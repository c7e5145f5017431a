"""Arrays from .npy files, without numpy. Needs Python alone: see gen.deploy.bundle."""

from __future__ import annotations

import ast
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from gen.host.hashes import shown
from model.errors import UNREADABLE, RequestError

MAGIC = b"\x93NUMPY"
CODES: dict[str, Any] = {"u1": "B", "i1": "b", "u2": "H", "i2": "h"} | {
    "u4": "I", "i4": "i", "u8": "Q", "i8": "q",
}  # fmt: skip
"""Letters of a memoryview for the integers of numpy."""
FLOATS: dict[str, Any] = {"f4": "f", "f8": "d"}
LONGEST_HEADER = 10_000
"""Bytes, as numpy itself takes by default."""
MOST_AXES = 4
LARGEST = 1 << 29
"""Bytes of a file, at most."""


@dataclass(frozen=True)
class NpyArray:
    """Numbers in C order; a part along the first axis becomes nested lists when it is asked for."""

    raw: memoryview
    code: Any
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        rest = self.shape[1:]
        size = self.raw.nbytes // len(self)
        for i in range(len(self)):
            numbers = self.raw[i * size : (i + 1) * size]
            yield numbers.cast(self.code, rest).tolist() if rest else numbers.cast(self.code)[0]

    def tolist(self) -> Any:
        """Nested lists."""
        return self.raw.cast(self.code, self.shape).tolist()


def load(path: Path, *, floats: bool = False) -> NpyArray:
    """The array in a file. RequestError, in one line, for anything but numbers: integers, and
    floats only where they are asked for.

    Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, little-endian,
    C order, as numpy.save writes it.
    """
    about = path.stat()
    try:
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("it is no file")
        if about.st_size > LARGEST:
            raise ValueError(f"{about.st_size:,} bytes, at most {LARGEST:,} are read")
        return _parsed(path.read_bytes(), CODES | FLOATS if floats else CODES)
    except (SyntaxError, MemoryError, *UNREADABLE) as error:
        reason = shown(str(error))[:200]
        raise RequestError(f"{shown(path)}: not a .npy file that can be read ({reason})") from None


def _parsed(raw: bytes, codes: dict[str, Any]) -> NpyArray:
    if raw[:6] != MAGIC:
        raise ValueError("it does not start as one")
    size = 2 if raw[6] == 1 else 4
    length = int.from_bytes(raw[8 : 8 + size], "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"a header of {length:,} bytes, at most {LONGEST_HEADER:,} are read")
    start = 8 + size + length
    head = ast.literal_eval(raw[8 + size : start].decode("latin-1").strip())
    kind, order, sizes = head["descr"], head["fortran_order"], head["shape"]
    if not isinstance(kind, str) or kind[:1] not in "<|" or kind[1:] not in codes:
        wanted = "integers" if codes is CODES else "numbers"
        raise ValueError(f"{str(kind)[:40]} {str(sizes)[:80]}: must be {wanted}, little-endian")
    if order is not False:
        raise ValueError("must be in C order; save numpy.ascontiguousarray of it")
    if (
        not isinstance(sizes, tuple)
        or not 1 <= len(sizes) <= MOST_AXES
        or not all(type(n) is int and n > 0 for n in sizes)
    ):
        raise ValueError(f"shape {str(sizes)[:80]}: must be 1 to {MOST_AXES} sizes above 0")
    want, have = prod(sizes) * int(kind[2:]), len(raw) - start
    if have != want:
        raise ValueError(f"{have:,} bytes of numbers, {sizes} of {kind} need {want:,}")
    return NpyArray(memoryview(raw)[start:], codes[kind[1:]], sizes)
