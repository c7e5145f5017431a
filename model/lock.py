"""A folder that one process at a time writes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.errors import ShiftaddError

LOCK = ".lock"


class FolderInUseError(ShiftaddError):
    """Another process writes the folder; the line names it and what it does there."""


@contextmanager
def folder_lock(
    folder: Path, what: str, *, name: str = LOCK, wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Holds `folder`, which is made where there is none, until the block or the process ends.

    what: runs there, as "search": whoever else wants the folder is told. name: of the file that is
    locked, where parts of a folder are held apart. wait: is told what runs there, once, and then
    that is waited for; without it, FolderInUseError is raised. Blocks in two threads are two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(file, folder, wait)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()} {what}\n".encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)  # which unlocks; the file stays, as others may have it open already


def _take(file: int, folder: Path, wait: Callable[[str], None] | None) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(file)
        if wait is None:
            raise FolderInUseError(
                f"{folder}: {holder} is running there; wait for it or give another folder"
            ) from None
        wait(f"{folder}: {holder} is running there; waiting for it")
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # a file system without locks has nobody to be told by
        pass


def _holder(file: int) -> str:
    """What the lock's file says of who has it, in words."""
    pid, _, what = os.pread(file, 200, 0).decode(errors="replace").strip().partition(" ")
    if not (pid.isdecimal() and what.isprintable() and what):
        return "another process"
    return f"another {what} (process {pid})"
