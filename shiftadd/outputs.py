"""stdout and stderr that the work outlives: closed, full, or too plain for what is written."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from shiftadd.errors import FAILED, OK

PLAIN = "shiftadd.plain"
_PLAINER = {
    "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "…": "...", "→": "->", "│": "|", "─": "-",
    "±": "+-", "≤": "<=", "≥": ">=", "µ": "u", "μ": "u", "“": '"', "”": '"', "∗": "*",
}  # fmt: skip
"""For output in ASCII or Latin-1, which has some of these."""


class Output:
    """A text stream that goes on when it can no longer be written. lost: why it could not."""

    def __init__(self, stream: TextIO | None) -> None:
        self.lost: OSError | None = None
        self._closed = stream is None  # before we began
        if stream is None:
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=PLAIN)

    def write(self, text: str) -> int:
        if self._closed and self.lost is None:
            self.lost = OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            if self.lost is None:
                action()
        except OSError as error:
            self.lost = error
            # what waits in the stream goes nowhere, or it would fail again when Python ends
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def outputs() -> Iterator[None]:
    """stdout and stderr as Output, for a while."""
    codecs.register_error(PLAIN, _plainer)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, Output(sys.stdout)), cast(TextIO, Output(sys.stderr))
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def printed(status: int, *, needed: bool) -> int:
    """The exit status of what ended with `status`, after all was printed.

    If stdout was lost, that is said in a line, but for a reader that has had enough. The work is
    done all the same; only where the output is `needed`, as it is all that is made, it has failed.
    """
    sys.stdout.flush()
    lost = getattr(sys.stdout, "lost", None)
    if lost is None:
        return status
    if lost.errno != errno.EPIPE:
        print(f"shiftadd: stdout: {lost.strerror}; the work is done, what it says is lost",
              file=sys.stderr)  # fmt: skip
    return FAILED if needed and status == OK else status


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    """Signs that the encoding of a stream lacks, in others; letters as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAINER.get(c) or _escaped(c) for c in text), error.end


def _escaped(sign: str) -> str:
    letter = sign.isalnum() or "\ud800" <= sign <= "\udfff"
    return sign.encode("ascii", "backslashreplace").decode() if letter else "?"
