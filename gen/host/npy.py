"""Arrays of integers from .npy files, without numpy. Needs Python alone: see gen.deploy.bundle."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from model.errors import UNREADABLE, RequestError

MAGIC = b"\x93NUMPY"
CODES: dict[str, Any] = {"u1": "B", "i1": "b", "u2": "H", "i2": "h"} | {
    "u4": "I", "i4": "i", "u8": "Q", "i8": "q",
}  # fmt: skip
"""Letters of a memoryview for the types of numpy."""


def read(path: Path) -> Any:
    """The array in a file as nested lists. RequestError, in one line, for anything but integers.

    Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, little-endian,
    C order, as numpy.save writes it.
    """
    raw = path.read_bytes()
    try:
        if raw[:6] != MAGIC:
            raise ValueError("it does not start as one")
        size = 2 if raw[6] == 1 else 4
        start = 8 + size + int.from_bytes(raw[8 : 8 + size], "little")
        head = ast.literal_eval(raw[8 + size : start].decode("latin-1"))
        kind, order, shape = head["descr"], head["fortran_order"], head["shape"]
        if order or kind[0] not in "<|" or kind[1:] not in CODES or not all(shape):
            raise ValueError(f"{kind} {shape}: must be integers, little-endian, in C order")
        return memoryview(raw[start:]).cast(CODES[kind[1:]], shape).tolist()
    except (SyntaxError, MemoryError, *UNREADABLE) as error:
        raise RequestError(f"{path}: not a .npy file that can be read ({error})") from None


def shape(array: Any) -> tuple[int, ...]:
    """Sizes of nested lists."""
    return (len(array), *shape(array[0])) if isinstance(array, list) else ()
