"""Temporary files and folders, which go at the end of their block, or else with their process.

Whoever makes one holds a lock on it (flock). What nobody holds was left over by a process that was
killed; it is removed when the next one is made beside it.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from model.errors import ShiftaddError

SUFFIX = ".shiftadd-tmp"
CREATING = threading.RLock()
"""Held while a temporary name or a child process comes into being. Who ends this process takes it
for good, so that nothing new appears behind its back."""

_NAME = re.compile(rf".*-[0-9a-f]{{16}}{re.escape(SUFFIX)}")
_live: set[Path] = set()
_swept: set[Path] = set()


class NoTemporaryFolderError(ShiftaddError):
    """There is no place for temporary files; the message says the way out."""

    exit_status = 1


@contextmanager
def folder(prefix: str = "shiftadd", parent: Path | None = None) -> Iterator[Path]:
    """An empty folder in `parent`, by default where the system keeps temporary files."""
    with _held(prefix, parent or _system(), lambda path: path.mkdir(0o700)) as path:
        yield path


@contextmanager
def file(prefix: str, parent: Path) -> Iterator[Path]:
    """The name of an empty file in `parent`. Whoever writes it must not put another in its place
    before it is done."""
    with _held(prefix, parent, lambda path: path.touch(exist_ok=False)) as path:
        yield path


def remove_all() -> None:
    """Removes what this process has, also under blocks that will never end."""
    for path in list(_live):
        _remove(path)


atexit.register(remove_all)


def _system() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise NoTemporaryFolderError(
            "no folder for temporary files can be written (/tmp, /var/tmp, the current one); "
            "set TMPDIR to one that can"
        ) from None


@contextmanager
def _held(prefix: str, parent: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    parent = parent.absolute()  # the current folder may change meanwhile
    _sweep(parent)
    path, lock = parent, -1
    try:
        while lock < 0:
            with CREATING:
                path = parent / f"{prefix}-{os.urandom(8).hex()}{SUFFIX}"
                _live.add(path)  # before it is there: a signal may come in between
                make(path)
                lock = _locked(path)
        yield path
    finally:
        _remove(path)
        _live.discard(path)
        if lock >= 0:
            os.close(lock)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock of `path`; -1 if another process has swept it away."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return -1
    with suppress(OSError):  # a file system without locks, where nothing is swept
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    if path.exists():
        return descriptor
    os.close(descriptor)
    return -1


def _sweep(parent: Path) -> None:
    """Removes what processes that were killed have left in `parent`; once a process and folder."""
    if parent in _swept:
        return
    _swept.add(parent)
    with suppress(OSError):
        for path in [p for p in parent.iterdir() if _NAME.fullmatch(p.name)]:
            if path not in _live and path.lstat().st_uid == os.getuid():
                _remove_unless_held(path)


def _remove_unless_held(path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    """Removes a file or a folder, which others may be writing into until now."""
    for _ in range(10):
        try:
            path.unlink()
        except (IsADirectoryError, PermissionError):  # the latter on systems that are not Linux
            shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            if error.errno != errno.ENOENT:
                return
        if not path.exists():
            return
