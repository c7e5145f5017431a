"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`: what is written there gets that name, if all goes well."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, content: str | bytes) -> None:
    """Writes a file in this way."""
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def copy(source: Path, path: Path) -> Path:
    """Copies a file in this way; returns `path`."""
    with replacing(path) as part:
        shutil.copyfile(source, part)
    return path


PLAIN_NAME = (
    "a plain name: 1 to 100 printable characters without / and \\, not beginning with . or -"
)


def is_plain_name(name: str) -> bool:
    """Whether a file or folder called `name` lies where it is made, and is seen and named there.

    Names that files bring are held to it before they become part of a path.
    """
    printable = name.isprintable() and name.strip() == name and not set("/\\") & set(name)
    return printable and 1 <= len(name.encode()) <= 200 and len(name) <= 100 and name[0] not in ".-"
