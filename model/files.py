"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model import temporary


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`: what is written there gets that name, if all goes well.

    An OSError says which file could not be written, if it does not say so itself.
    """
    try:
        with temporary.file(f".{path.name[:80]}", path.parent) as part:
            yield part
            part.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = str(path)
        raise


def write(path: Path, content: str | bytes) -> None:
    """Writes a file in this way."""
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def copy(source: Path, path: Path) -> Path:
    """Copies a file in this way; returns `path`."""
    with replacing(path) as part:
        shutil.copyfile(source, part)
    return path


def replace_folder(fresh: Path, path: Path) -> None:
    """Gives the folder `fresh` the name `path`. What is there goes where `fresh` was, or beside it;
    both must be on one file system. `path` is there at every moment, where the system can."""
    if not path.exists():
        fresh.rename(path)
    elif not _exchanged(fresh, path):
        path.rename(fresh.with_name(f"{fresh.name}.old"))
        fresh.rename(path)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchanges two names in one step; False where that cannot be had."""
    if not sys.platform.startswith("linux"):
        return False
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is None:
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if exchange(here, os.fsencode(one), here, os.fsencode(other), swap) == 0:
        return True
    if (number := ctypes.get_errno()) in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(number, os.strerror(number), str(other))


PLAIN_NAME = (
    "a plain name: 1 to 100 printable characters without / and \\, not beginning with . or -"
)


def is_plain_name(name: str) -> bool:
    """Whether a file or folder called `name` lies where it is made, and is seen and named there.

    Names that files bring are held to it before they become part of a path.
    """
    printable = name.isprintable() and name.strip() == name and not set("/\\") & set(name)
    return printable and 1 <= len(name.encode()) <= 200 and len(name) <= 100 and name[0] not in ".-"
