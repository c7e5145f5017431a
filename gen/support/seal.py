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
from contextlib import suppress
from functools import cache
from pathlib import Path

from model import temporary

SIZE = 32
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
    """The key in a file, which is made when needed; where none can be, one for this process."""
    fresh = secrets.token_bytes(SIZE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with temporary.file("key", path.parent) as part, suppress(FileExistsError):
            part.chmod(0o600)
            part.write_bytes(fresh)
            os.link(part, path)  # whole, and by one process only
        kept = path.read_bytes()
        if len(kept) == SIZE:
            return kept
        reason = f"has {len(kept)} bytes, not {SIZE}; remove it"
    except OSError as error:
        reason = error.strerror or str(error)
    logger.info("%s: %s; caches are built anew in each process", path, reason)
    return fresh
