"""The loggers below "shiftadd" say what is run, where its log lies, and what was built before."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOGGER = logging.getLogger("shiftadd")


class _Stderr(logging.Handler):
    """Lines on what stderr is when they come: rich puts itself in its place meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # a log that cannot be written is no reason to end
            print(self.format(record), file=sys.stderr, flush=True)


def wanted() -> bool:
    """Whether it is shown, for processes that this one starts."""
    return LOGGER.isEnabledFor(logging.INFO)


def start() -> logging.Handler:
    """Shows it on stderr, with the time, from now on."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    return handler


@contextmanager
def shown(verbose: bool) -> Iterator[None]:
    """Shows it for a while; nothing unless `verbose`."""
    if not verbose:
        yield
        return
    before, handler = LOGGER.level, start()
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before)
