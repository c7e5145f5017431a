"""Built steps, kept by the hash of everything they were made from, and never believed unchecked.

An entry is a folder with the files of one step and `entry.json`: their hashes and the seconds that
they took. It is made under a temporary name and renamed, so an interrupted step leaves nothing
behind, and builds may share a cache. An entry whose files do not match their hashes is made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gen.support.tools import ToolError
from model.errors import UNREADABLE

INDEX = "entry.json"
logger = logging.getLogger("shiftadd.cache")


@dataclass(frozen=True)
class Entry:
    """Files of one built step. seconds: what it took when it was built, also if it was `cached`."""

    folder: Path
    files: Mapping[str, str]
    """SHA-256 of each file by name."""
    seconds: float
    cached: bool = False


class Cache:
    """Built steps under the folder `root`, which is made when needed."""

    def __init__(self, root: Path = Path("build/cache")) -> None:
        self.root = root

    def step(self, name: str, inputs: Mapping[str, object], make: Callable[[Path], float]) -> Entry:
        """Files of the step `name`, a function of `inputs` alone (anything that JSON can hold).

        `make` writes them into the folder that it is given and returns the seconds of its tools.
        When it raises ToolError, the log is kept under `root`/failed and the error says where.
        """
        key = _digest(json.dumps([name, dict(inputs)], sort_keys=True).encode())
        place = self.root / f"{name}-{key[:20]}"
        if kept := _read(place, key):
            logger.info("%s: built before, in %s", name, place)
            return kept
        made = self._make(name, key, place, make)
        logger.info("%s: kept, with its logs, in %s", name, made.folder)
        return made

    def _make(self, name: str, key: str, place: Path, make: Callable[[Path], float]) -> Entry:
        self.root.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.root))
        try:
            seconds = make(part)
            files = {p.name: _digest(p.read_bytes()) for p in sorted(part.iterdir())}
            index = {"key": key, "seconds": seconds, "files": files}
            (part / INDEX).write_text(json.dumps(index, indent=1) + "\n")
            part.chmod(0o755)
            if other := _read(place, key):  # made meanwhile, and perhaps in use
                return other
            shutil.rmtree(place, ignore_errors=True)
            try:
                part.rename(place)
            except OSError:  # another build made the same entry meanwhile
                if (other := _read(place, key)) is None:
                    raise
                return other
            return Entry(place, files, seconds)
        except ToolError as error:
            error.log = self._keep_log(error.log, place.name)
            raise
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _keep_log(self, log: Path, name: str) -> Path:
        kept = self.root / "failed" / f"{name}-{log.name}"
        kept.parent.mkdir(exist_ok=True)
        return log.replace(kept)


def sources(*modules: ModuleType) -> list[str]:
    """Hashes of the code of `modules`, for the inputs of steps whose files they write."""
    return [_digest(Path(str(module.__file__)).read_bytes()) for module in modules]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(place: Path, key: str) -> Entry | None:
    """The entry in `place` when every file of it is what it was when it was made, else None."""
    try:
        index = json.loads((place / INDEX).read_text())
        if index["key"] != key:
            return None
        for name, digest in index["files"].items():
            if _digest((place / name).read_bytes()) != digest:
                return None
        return Entry(place, index["files"], float(index["seconds"]), cached=True)
    except UNREADABLE:
        return None
