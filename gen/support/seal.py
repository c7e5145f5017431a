"""Seals of this user: they tell what was built here from what came with somebody's folder.

A hash beside a file only shows that both belong together, whoever wrote them. What is started from
a cache, or simulated, needs more: a seal can be made only with a key that is in the user's home.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from model import temporary
from model.errors import ShiftaddError
from model.records import contents

SIZE = 32


class SealError(ShiftaddError):
    """No key is at a place; the message says why. It never ends a command."""


logger = logging.getLogger("shiftadd.cache")


def seal(message: str) -> str:
    """HMAC-SHA-256 of a message with the user's key, in hexadecimal."""
    return hmac.new(_key(_file()), message.encode(), hashlib.sha256).hexdigest()


def genuine(message: str, claimed: object) -> bool:
    """Whether `claimed` is the seal of a message."""
    return isinstance(claimed, str) and hmac.compare_digest(
        seal(message).encode(), claimed.encode()
    )


def _file() -> Path:
    """$XDG_STATE_HOME/shiftadd/key, by default in ~/.local/state."""
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    except RuntimeError:  # no home
        state = Path(os.devnull)
    return state / "shiftadd" / "key"


@cache
def _key(path: Path) -> bytes:
    """The key in a file, which is made when needed; where that cannot be, one that lasts as long as
    the system's temporary files, or else as long as this process."""
    for place in (path, Path(gettempdir()) / f"shiftadd-{os.getuid()}" / "key"):
        try:
            return _kept(place)
        except (OSError, SealError) as error:
            logger.info("%s: no key for seals of caches is kept there (%s)", place, error)
    logger.info("caches are built anew in each process; set XDG_STATE_HOME to a folder for a key")
    return secrets.token_bytes(SIZE)


def _kept(path: Path) -> bytes:
    """The key at `path`, which is made when needed. SealError where it is none, or not ours."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    about = path.parent.lstat()
    if about.st_uid != os.getuid() or about.st_mode & 0o022 or not stat.S_ISDIR(about.st_mode):
        raise SealError(f"{path.parent} can be written by others")
    if not os.path.lexists(path):
        with temporary.file("key", path.parent) as part, suppress(FileExistsError):
            part.chmod(0o600)
            part.write_bytes(secrets.token_bytes(SIZE))
            os.link(part, path)  # whole, and by one process only
    kept = contents(path, error=SealError, most=SIZE, way_out="remove it")
    if len(kept) < SIZE:
        raise SealError(f"{path}: has {len(kept)} bytes, not {SIZE}; remove it")
    return kept
