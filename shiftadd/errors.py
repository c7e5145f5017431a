"""From an error to what the command line says of it, and to its exit status."""

from __future__ import annotations

import errno
import os
import platform
import sys
import traceback
from importlib.metadata import version
from shutil import disk_usage
from tempfile import gettempdir

from gen.support.tools import LEAST_ROOM
from model.errors import ShiftaddError

OK, FAILED, WRONG, DEFECT, INTERRUPTED = 0, 1, 2, 70, 130
"""Exit status: done; a check failed; the request was wrong; a defect of shiftadd; Ctrl-C."""

ENVIRONMENT = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENFILE,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
    }
)
"""Of an OSError that the machine is to blame for: rights, room, limits."""
IN_THE_WAY = frozenset({errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY})
"""Of an OSError where a folder has the name of a file of ours, or a file that of a folder."""


def explain(error: Exception) -> int:
    """Says on stderr what is wrong, in one line where the user can do something about it.

    Anything else is a defect: its traceback, and where to report it. Returns the exit status.
    """
    if isinstance(error, ShiftaddError):
        return _say(str(error), error.exit_status)
    if isinstance(error, OSError) and error.errno in ENVIRONMENT:
        return _say(_environment(error), FAILED)
    if isinstance(error, OSError) and error.errno in IN_THE_WAY and error.filename:
        place = os.fsdecode(error.filename2 or error.filename)
        wanted = "file" if error.errno == errno.EISDIR else "folder"
        return _say(
            f"{place}: must be a {wanted} and is none ({os.strerror(error.errno)}); remove what is "
            "there, or name another place",
            WRONG,
        )
    traceback.print_exception(error)
    return _say(
        "this is a defect of shiftadd, not of your request. Please report it in the project's "
        f"issue tracker, with the command and all of the lines above (shiftadd "
        f"{version('shiftadd')}, Python {platform.python_version()}, {platform.system()})",
        DEFECT,
    )


def _environment(error: OSError) -> str:
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if _is_path(name)]
    reason = os.strerror(error.errno or 0)
    if not names and error.errno == errno.ENOSPC:
        names = [
            place for place in (os.curdir, gettempdir()) if disk_usage(place).free < LEAST_ROOM
        ]
    return f"{', '.join(names)}: {reason}" if names else reason


def _is_path(name: object) -> bool:
    return isinstance(name, str | bytes | os.PathLike)


def _say(line: str, status: int) -> int:
    print(f"shiftadd: {' '.join(line.split())}", file=sys.stderr)
    return status
