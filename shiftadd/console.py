"""What people see: tables on stdout; spinners and bars on stderr. rich is imported when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gen.support.progress import SILENT, Progress
from shiftadd.outcome import Outcome


def show(*renderables: object) -> None:
    """Prints tables and text to stdout."""
    from rich.console import Console

    Console().print(*renderables)


def present(outcome: Outcome) -> None:
    """Tables and lines of what a verb did, to stdout."""
    show(*outcome.tables())
    for line in outcome.lines():
        print(line)


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
