"""The root of all errors that a user can do something about. The standard library alone, so that
host programs of boards carry it.

Anything else that is raised (a plain ValueError, KeyError, OSError, …) is a defect of shiftadd.
"""

from __future__ import annotations

from typing import ClassVar


class ShiftaddError(Exception):
    """A request cannot be met. The message is one line: the value, the rule and the way out.

    exit_status: of the command line. 2: the request is wrong; 1: it is right, and failed.

    >>> try:
    ...     shiftadd.compile("nowhere")
    ... except shiftadd.ShiftaddError as error:
    ...     print(error.exit_status, error)
    2 nowhere: no such network; `shiftadd train` makes one
    """

    exit_status: ClassVar[int] = 2

    def __str__(self) -> str:
        return one_line(super().__str__())


LONGEST = 1000
"""Characters of a message."""


def one_line(text: str) -> str:
    """`text` without what would end the line or command the terminal, as values of others may, and
    with its middle left out where it is long."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 300]} … {text[-290:]}"
    return text


class RequestError(ShiftaddError, ValueError):
    """A value or a file that the user gave breaks a rule.

    >>> try:
    ...     shiftadd.train("digits_mlp", data="digits", epochs=0)
    ... except shiftadd.RequestError as error:
    ...     print(error)
    --epochs 0: must be a whole number from 1 to 100000
    """


UNREADABLE = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip
"""What reading and parsing a damaged or foreign file may raise, to be said again in one line."""
