"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Writes a file under a temporary name beside it, then gives it its own."""
    part = _part(path)
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    part.replace(path)


def copy(source: Path, path: Path) -> Path:
    """Copies a file in the same way; returns `path`."""
    part = _part(path)
    shutil.copyfile(source, part)
    return part.replace(path)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")
