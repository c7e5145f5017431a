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
