"""Progress of a search on stderr: what is done, what it has found, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from model.epoch_log import progress_bar
from model.terminal import console


class Tick(Protocol):
    """So many steps more are done; a note replaces the one before it."""

    def __call__(self, steps: int, note: str | None = None) -> None: ...


class Show:
    """Prints nothing when `quiet`."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._console = console(stderr=True, quiet=quiet)

    def say(self, line: str) -> None:
        self._console.print(line)

    @contextmanager
    def steps(self, what: str, total: int) -> Iterator[Tick]:
        """A bar of `total` steps, if there are any; its last note stays on the screen."""
        with progress_bar(self.quiet or not total, transient=False) as progress:
            task = progress.add_task(what, total=total, note="")

            def tick(steps: int, note: str | None = None) -> None:
                progress.update(task, advance=steps)
                if note is not None:
                    progress.update(task, note=note)

            yield tick
