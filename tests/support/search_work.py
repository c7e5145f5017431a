"""Work for the pools of the search's tests: functions that other processes can import."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

from gen.support.tools import finished, process
from model import temporary


def square(number: int) -> int:
    return number * number


def logged(number: int) -> int:
    logging.getLogger("shiftadd.tools").info("worked on %d", number)
    return number


def rank(folder: str) -> str:
    """That of the worker, once two are at work."""
    own = os.environ["LOCAL_RANK"]
    (Path(folder) / own).touch()
    end = time.monotonic() + 60
    while len(list(Path(folder).iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    return own


def fail(number: int) -> int:
    raise ValueError(f"{number} is refused")


def slow_square(job: tuple[int, str]) -> int:
    """Leaves its process id in a folder, so that a test can end its worker in the middle."""
    number, folder = job
    (Path(folder) / f"{number}-{os.getpid()}").touch()
    time.sleep(0.4)
    return number * number


def dies_once(job: tuple[int, str]) -> int:
    """The first worker that comes here dies."""
    number, folder = job
    try:
        (Path(folder) / "dead").touch(exist_ok=False)
    except FileExistsError:
        return number * number
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


def dies(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


def holds(parent: Path) -> None:
    """A temporary folder, and a tool with children of its own, until this process is ended."""
    with temporary.folder("held", parent) as folder, (folder / "out").open("wb") as out:
        command = ["sh", "-c", "sleep 100 & touch ready; sleep 100; echo done"]
        with process(command, folder, out.fileno()) as child:
            finished(child)
