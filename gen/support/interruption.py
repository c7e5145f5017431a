"""The end of this process by a signal: with it end all processes that it has started, and its
temporary files go. Nothing is unwound: finished steps are on disk, and no exception that a library
might swallow or turn into another is needed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from model import temporary

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
PATIENCE = 5.0
"""Seconds for children to end by themselves, each with its own temporary files."""
PROC = Path("/proc")
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_advice: list[str] = []
_quiet = False


def install() -> None:
    """From now on each of SIGNALS that is not ignored ends this process, its status 128 + signal,
    with one line on stderr. What its children leave behind becomes its own child."""
    _prctl(_SET_CHILD_SUBREAPER, 1)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def install_in_worker(parent: int) -> None:
    """In a fresh worker of process `parent`: SIGTERM ends it in the same way, without a word, and
    comes when the parent dies; what a terminal sends is the parent's business."""
    global _quiet
    _quiet = True
    _prctl(_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    _prctl(_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before that
        os.kill(os.getpid(), signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def ignore() -> None:
    """The work is done: signals no longer change its status."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def blocked() -> Iterator[None]:
    """Signals wait. Processes that are started meanwhile begin so, until they unblock them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def advised(advice: str) -> Iterator[None]:
    """Whoever interrupts this block is told `advice`, too: how it goes on."""
    _advice.append(advice)
    try:
        yield
    finally:
        _advice.remove(advice)


def message(number: int) -> str:
    """What is said of the end by a signal."""
    how = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    return "; ".join([f"shiftadd: {how}", "finished steps are kept", *_advice[-1:]])


def end_children(patience: float = PATIENCE) -> None:
    """Ends all processes that came from this one: SIGTERM to its children, SIGKILL to all that is
    left after `patience` seconds."""
    told: set[int] = set()
    deadline = time.monotonic() + patience
    while (pids := _descendants(direct=True)) and time.monotonic() < deadline:
        for pid in set(pids) - told:
            _kill(pid, signal.SIGTERM)
        told.update(pids)
        time.sleep(0.01)
    deadline = time.monotonic() + patience
    while (pids := _descendants()) and time.monotonic() < deadline:
        for pid in pids:
            _kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _end(number: int, frame: FrameType | None) -> None:
    ignore()
    end(128 + number, "" if _quiet else message(number))


def end(status: int, line: str = "") -> NoReturn:
    """Ends this process, its children, and its temporary files, with a line on stderr."""
    temporary.CREATING.acquire(timeout=PATIENCE)
    end_children()
    temporary.remove_all()
    if multiprocessing := sys.modules.get("multiprocessing.util"):
        with suppress(Exception):
            multiprocessing._run_finalizers(0)  # semaphores, or their tracker complains of them
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if line:
        with suppress(OSError):
            clean = b"\r\x1b[2K\x1b[?25h" if os.isatty(2) else b""  # a spinner hides the cursor
            os.write(2, clean + line.encode("ascii", "backslashreplace") + b"\n")
    os._exit(status)


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _descendants(*, direct: bool = False) -> list[int]:
    """Living processes that came from this one. Of multiprocessing's resource tracker, which ends
    by itself when it has cleaned up, nothing is said."""
    parents = dict(_processes())
    family: list[int] = []
    wave = {os.getpid()}
    while wave:
        wave = {pid for pid, parent in parents.items() if parent in wave}
        family += wave
        if direct:
            break
    return [pid for pid in family if not _is_tracker(pid)]


def _processes() -> Iterator[tuple[int, int]]:
    """Each living process of this machine, and its parent."""
    for path in PROC.iterdir() if PROC.is_dir() else ():
        if path.name.isdecimal():
            with suppress(OSError):
                stat = (path / "stat").read_bytes().rpartition(b")")[2].split()
                if stat[0] not in (b"Z", b"X"):
                    yield int(path.name), int(stat[1])


def _is_tracker(pid: int) -> bool:
    with suppress(OSError):
        return b"multiprocessing.resource_tracker" in (PROC / str(pid) / "cmdline").read_bytes()
    return False


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)
