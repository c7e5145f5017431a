"""The root of all errors that a user can do something about; the standard library alone."""

from __future__ import annotations


class ShiftaddError(Exception):
    """One line: the bad value, the rule and the way out."""

    exit_status = 2
    """Of the command line: 1 a check failed, 2 the request was wrong."""


class RequestError(ShiftaddError, ValueError):
    """A request that cannot be met."""
