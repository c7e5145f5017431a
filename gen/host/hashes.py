"""Files checked against the hashes that were taken when they were made. Needs Python alone: see
gen.deploy.bundle.

The hashes of a build are in its report.json, those of a bundle in its manifest.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from model.errors import ShiftaddError

LARGEST = 1 << 30
"""Bytes of a file, at most."""
PYTHON_OWN = "__pycache__"
"""Folders that Python leaves beside its modules. Nothing here reads them: see
gen.deploy.bundle.LAUNCHER."""


class DamagedError(ShiftaddError, ValueError):
    """A file is not what it was when it was made; the message names it and the way out."""


def of_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. ValueError for what is no file, or one beyond LARGEST."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("it is no file")
    if about.st_size > LARGEST:
        raise ValueError(f"it has {about.st_size:,} bytes, at most {LARGEST:,} are read")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def of_json(value: Any) -> str:
    """SHA-256 of a value that JSON can hold, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def of_files(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files by their names, sorted."""
    return {path.name: of_file(path) for path in sorted(paths)}


def of_tree(folder: Path, without: Collection[str] = ()) -> dict[str, str]:
    """SHA-256 of all files in a folder and below, by their path in it, but for those `without`."""
    names = sorted(name for name, _ in _tree(folder) if name not in without)
    return {name: of_file(folder / name) for name in names}


def verify(folder: Path, hashes: Mapping[str, str], *, again: str) -> None:
    """DamagedError unless each file in `folder` has its hash. again: what makes them anew."""
    for name, want in hashes.items():
        path = folder / name
        try:
            if not _inside(name):
                raise ValueError("not the name of a file in this folder")
            have = of_file(path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DamagedError(f"{shown(path)}: cannot be read ({reason}); {again}") from None
        except ValueError as error:
            raise DamagedError(f"{folder}: {name!r}: {error}; {again}") from None
        if have != want:
            raise DamagedError(
                f"{shown(path)}: damaged or changed (its hash is {have[:12]}, not "
                f"{str(want)[:12]}); {again}"
            )


def verify_tree(
    folder: Path, hashes: Mapping[str, str], *, again: str, without: Collection[str] = ()
) -> None:
    """DamagedError unless the files in `folder` and below, those `without` left out, are exactly
    those of `hashes`, each with its hash, and no links."""
    for name, mode in _tree(folder):
        if stat.S_ISLNK(mode) or not stat.S_ISREG(mode):
            raise DamagedError(
                f"{shown(folder / name)}: a link or no file; a bundle has files alone; {again}"
            )
        if name not in hashes and name not in without:
            raise DamagedError(
                f"{shown(folder / name)}: does not belong to this folder; remove it, or {again}"
            )
    verify(folder, hashes, again=again)


def shown(path: Path | str) -> str:
    """A path or a name as it is, or, where it would not stay on its line, as Python writes it."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


def _tree(folder: Path) -> Iterator[tuple[str, int]]:
    """Path in `folder` and mode of each entry that is no folder; links are not followed."""
    for where, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f != PYTHON_OWN or Path(where, f).is_symlink()]
        links = [name for name in folders if Path(where, name).is_symlink()]
        for name in (*files, *links):
            path = Path(where, name)
            yield path.relative_to(folder).as_posix(), path.lstat().st_mode


def _inside(name: str) -> bool:
    """Whether a name is that of a file below a folder, written in the one way that there is."""
    path = PurePosixPath(name)
    return (
        name == path.as_posix() and not path.is_absolute() and ".." not in path.parts
        and name not in ("", ".")
    )  # fmt: skip
