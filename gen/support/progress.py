"""How long work tells what it is doing. How that is shown is the caller's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Progress:
    """Shows nothing; the command line has one that does."""

    @contextmanager
    def status(self) -> Iterator[Callable[[str], None]]:
        """To be told the step that begins."""
        yield lambda step: None

    @contextmanager
    def bar(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """To be told how much of `what` is done, and how much there is in all."""
        yield lambda done, total: None


SILENT = Progress()
