"""What people see: tables on stdout; spinners and bars on stderr. rich is imported when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gen.support.progress import SILENT, Progress
from shiftadd.outcome import Outcome


def show(*renderables: object) -> None:
    """Prints tables and text to stdout."""
    from model.terminal import console

    console().print(*renderables)


def present(outcome: Outcome) -> None:
    """Tables and lines of what a verb did, to stdout."""
    for table in outcome.tables():
        show(table)
    for line in outcome.lines():
        print(line)


def progress(quiet: bool) -> Progress:
    """Spinners and bars on stderr, or none."""
    return SILENT if quiet else _Shown()


class _Shown(Progress):
    @contextmanager
    def status(self) -> Iterator[Callable[[str], None]]:
        from rich.text import Text

        from model.terminal import console

        with console(stderr=True).status("") as status:
            yield lambda step: status.update(Text(step))  # which reads markup in a str

    @contextmanager
    def bar(self, what: str) -> Iterator[Callable[[int, int], None]]:
        from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        from model.terminal import console, literal

        columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
        with Bars(literal("{task.description}"), *columns, console=console(stderr=True)) as bars:
            task = bars.add_task(what, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)
