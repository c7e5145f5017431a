"""Built steps, kept by the hash of all their inputs, whose files are checked before each use.

An entry is a folder with the files of one step and `entry.json`: their hashes and the seconds that
they took. It is written under a temporary name and then renamed, so an interrupted step leaves
nothing behind, and builds may share a cache. An entry whose files do not match their hashes, or
that has a file too many or too few, or a link, is built again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gen.support.seal import genuine, seal
from gen.support.tools import ToolError
from model import temporary
from model.errors import UNREADABLE, RequestError
from model.records import Count, Digest, read

INDEX = "entry.json"
LARGEST = 1 << 31
"""Bytes of a file in an entry, at most."""
logger = logging.getLogger("shiftadd.cache")


@dataclass(frozen=True)
class CacheEntry:
    """Files of one built step. seconds: what it took when it was built, also if it was `cached`."""

    folder: Path
    files: Mapping[str, str]
    """SHA-256 of each file by name."""
    seconds: float
    cached: bool = False


@dataclass(frozen=True)
class _Index:
    """entry.json"""

    key: Digest
    seconds: Count
    files: dict[str, Digest]
    seal: str


class Cache:
    """Built steps under the folder `root`, which is created when needed.

    Entries carry this user's seal, and those without it are built again: programs that are started
    and Verilog that is simulated must not come from anywhere else.
    """

    def __init__(self, root: Path = Path("build/cache")) -> None:
        self.root = root

    def step(
        self, name: str, inputs: Mapping[str, object], make: Callable[[Path], float]
    ) -> CacheEntry:
        """Files of the step `name`, a function of `inputs` alone (anything that JSON can hold).

        `make` writes them into the folder that it is given and returns the seconds of its tools.
        When it raises ToolError, the log is kept under `root`/failed and the error says where.
        """
        folder, key = self._place(name, inputs)
        if entry := self._read(folder, key):
            logger.info("%s: built before, in %s", name, entry.folder)
            return entry
        entry = self._make(name, folder, key, make)
        logger.info("%s: kept, with its logs, in %s", name, entry.folder)
        return entry

    def kept(self, name: str, inputs: Mapping[str, object]) -> CacheEntry | None:
        """The step `name` of these inputs, if it was built before and nothing of it has changed."""
        return self._read(*self._place(name, inputs))

    def _place(self, name: str, inputs: Mapping[str, object]) -> tuple[Path, str]:
        key = _digest(json.dumps([name, dict(inputs)], sort_keys=True).encode())
        folder = self.root / f"{name}-{key[:20]}"
        # Another user's entry stays theirs: they may be using it, and rights may forbid to replace.
        return (folder.with_name(f"{folder.name}-{_user()}") if _of_others(folder) else folder), key

    def _make(self, name: str, folder: Path, key: str, make: Callable[[Path], float]) -> CacheEntry:
        self.root.mkdir(parents=True, exist_ok=True)
        with temporary.folder(f".{name}", self.root) as scratch:
            try:
                seconds = make(scratch)
                return self._keep(scratch, key, folder, seconds)
            except ToolError as error:
                error.log = self._keep_log(error.log, folder.name)
                raise

    def _keep(self, scratch: Path, key: str, folder: Path, seconds: float) -> CacheEntry:
        files = {p.name: _hash_of(p) for p in sorted(scratch.iterdir())}
        index: dict[str, object] = {"key": key, "seconds": seconds, "files": files}
        index["seal"] = seal(_sealed(key, files, seconds))
        (scratch / INDEX).write_text(json.dumps(index, indent=1) + "\n")
        scratch.chmod(0o755)
        if other := self._read(folder, key):  # another build wrote it meanwhile, and may use it
            return other
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        try:
            scratch.rename(folder)
        except OSError:  # another build wrote the same entry meanwhile
            if (other := self._read(folder, key)) is None:
                raise
            return other
        return CacheEntry(folder, files, seconds)

    def _read(self, folder: Path, key: str) -> CacheEntry | None:
        """The entry in `folder` when it has this key, all of its files, which are plain files of
        the folder itself, have their hashes, and the seal is right; else None."""
        try:
            paths = list(folder.iterdir())
            if not all(stat.S_ISREG(path.lstat().st_mode) for path in paths):
                return None
            index = read(folder / INDEX, _Index, error=RequestError)
            if index.key != key or {*index.files, INDEX} != {path.name for path in paths}:
                return None
            if not genuine(_sealed(key, index.files, index.seconds), index.seal):
                return None
            for name, digest in index.files.items():
                if _hash_of(folder / name) != digest:
                    return None
            return CacheEntry(folder, index.files, index.seconds, cached=True)
        except UNREADABLE:
            return None

    def _keep_log(self, log: Path, name: str) -> Path:
        failed = self.root / "failed"
        if _of_others(failed):
            failed = failed.with_name(f"failed-{_user()}")
        failed.mkdir(exist_ok=True)
        return log.replace(failed / f"{name}-{log.name}")


def sources(*modules: ModuleType) -> list[str]:
    """Hashes of the code of `modules`, for the inputs of steps whose files they write."""
    return [_digest(Path(str(module.__file__)).read_bytes()) for module in modules]


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _of_others(path: Path) -> bool:
    """Whether something lies there, and another user's."""
    try:
        return path.lstat().st_uid != _user()
    except OSError:
        return False


def _hash_of(path: Path) -> str:
    """SHA-256 of a file, of which no more than a part is in memory; of at most LARGEST bytes."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > LARGEST:
            raise ValueError(f"{path.name} has more than {LARGEST:,} bytes")
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sealed(key: str, files: Mapping[str, str], seconds: float) -> str:
    return json.dumps([key, files, seconds], sort_keys=True)
