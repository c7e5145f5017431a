"""What people see: tables on stdout; spinners and bars on stderr. rich is imported when needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gen.support.progress import SILENT, Progress


def show(*renderables: object) -> None:
    """Prints tables and text to stdout."""
    from rich.console import Console

    Console().print(*renderables)


def note(line: str) -> None:
    """One line to stderr."""
    print(line, file=sys.stderr)


def progress(quiet: bool) -> Progress:
    """Spinners and bars on stderr, or none."""
    return SILENT if quiet else _Shown()


class _Shown(Progress):
    @contextmanager
    def status(self) -> Iterator[Callable[[str], None]]:
        from rich.console import Console

        with Console(stderr=True).status("") as status:
            yield status.update

    @contextmanager
    def bar(self, what: str) -> Iterator[Callable[[int, int], None]]:
        from rich.console import Console
        from rich.progress import Progress as Bars

        with Bars(console=Console(stderr=True)) as bars:
            task = bars.add_task(what, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)
