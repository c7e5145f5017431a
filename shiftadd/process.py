"""The command `shiftadd` as a process: what it is ready for before anything else is imported."""

from __future__ import annotations

import os
import threading

from gen.support import interruption


def command() -> None:
    """Entry point: `shiftadd.cli.main`, which a signal may end at any time."""
    _open_descriptors()
    interruption.install()
    from shiftadd.cli import main

    status = main()
    interruption.ignore()
    if threading.active_count() > 1:  # one of several builds failed: the others are not waited for
        interruption.end(status)
    raise SystemExit(status)


def _open_descriptors() -> None:
    """A closed stdin, stdout or stderr becomes /dev/null, or the next file opened would get its
    number, and what a tool prints."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # the lowest free number is this one
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
