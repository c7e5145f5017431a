"""What is shown of a training: a bar on a terminal, a line an epoch elsewhere; all on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from model.terminal import console, literal

Say = Callable[[int, str], None]
"""So many epochs are done; a note on the last of them."""


def progress_bar(quiet: bool, *, transient: bool = True) -> Progress:
    """On stderr, for tasks with a `note`. Descriptions and notes are shown as they are."""
    columns = literal("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn()
    note = literal("{task.fields[note]}")
    return Progress(
        *columns, note, console=console(stderr=True), disable=quiet, transient=transient
    )


@contextmanager
def epochs_shown(quiet: bool, what: str, total: int, done: int = 0) -> Iterator[Say]:
    """A bar called `what`; where stderr is no terminal, lines `epoch 3/60 note`; nothing if quiet.

    done: epochs of an earlier, interrupted part.
    """
    if quiet or console(stderr=True).is_terminal:
        with progress_bar(quiet) as progress:
            task = progress.add_task(what, total=total, completed=done, note="")
            yield lambda epoch, note: progress.update(task, completed=epoch, note=note)
        return
    if done:
        print(f"{what}: goes on after epoch {done}/{total}", file=sys.stderr, flush=True)
    yield lambda epoch, note: print(f"epoch {epoch}/{total} {note}", file=sys.stderr, flush=True)
