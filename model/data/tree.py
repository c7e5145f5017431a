"""Files by folder, on disk or in a zip archive, without those that systems leave behind."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from model.data.limits import DataError, check_bytes, content_of, size_of

DEPTH = 6
"""Folders below each other that are looked into."""
MOST_FILES = 2_000_000
Parts = tuple[str, ...]


def hidden(name: str) -> bool:
    """Whether a file or folder is no data: .ipynb_checkpoints, __MACOSX, ._x, Thumbs.db, …"""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__")


@dataclass(frozen=True)
class Tree:
    """files, folders: the way from the top to each, sorted.

    size, read: of a file. All raise DataError.
    """

    name: str
    files: tuple[Parts, ...]
    folders: tuple[Parts, ...]
    size: Callable[[Parts], int]
    read: Callable[[Parts], bytes]

    def path(self, parts: Parts) -> str:
        return "/".join((self.name, *parts))


def folder_tree(top: Path) -> Tree:
    """Of a folder. Links are followed, but into no folder that is being looked into already."""
    files: list[Parts] = []
    folders: list[Parts] = []

    def walk(parts: Parts, above: tuple[tuple[int, int], ...]) -> None:
        folder = top.joinpath(*parts)
        try:
            status = folder.stat()
            names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            raise DataError(f"{folder}: cannot be read ({error.strerror or error})") from None
        identity = status.st_dev, status.st_ino
        if identity in above or len(parts) > DEPTH:
            return
        if parts:
            folders.append(parts)
        for name in names:
            below = (*parts, name)
            if hidden(name):
                continue
            try:
                mode = folder.joinpath(name).stat().st_mode
            except OSError:
                mode = 0  # a broken or circular link: an error for an image, else nothing
            if stat.S_ISDIR(mode):
                walk(below, (*above, identity))
            else:
                files.append(below)
        if len(files) > MOST_FILES:
            raise DataError(f"{top}: more than {MOST_FILES:,} files; give the folder of the images")

    walk((), ())
    return Tree(
        str(top), tuple(files), tuple(folders),
        lambda parts: size_of(top.joinpath(*parts)), lambda parts: content_of(top.joinpath(*parts)),
    )  # fmt: skip


@contextmanager
def zip_tree(path: Path) -> Iterator[Tree]:
    """Of a zip archive, which is read in place."""
    size_of(path)
    try:
        archive = zipfile.ZipFile(path)
        infos = archive.infolist()
    except Exception as error:  # zipfile raises many types for a damaged file
        raise DataError(f"{path}: cannot be read as a zip ({type(error).__name__})") from None
    files: dict[Parts, zipfile.ZipInfo] = {}
    folders: set[Parts] = set()
    for info in infos:
        parts = tuple(part for part in info.filename.split("/") if part)
        if any(hidden(part) for part in parts) or not parts:
            continue
        inside = parts if info.is_dir() else parts[:-1]
        folders |= {inside[:n] for n in range(1, min(len(inside), DEPTH) + 1)}
        if not info.is_dir() and len(parts) <= DEPTH + 1:
            files[parts] = info

    def read(parts: Parts) -> bytes:
        info = files[parts]
        check_bytes(f"{path}: {info.filename}", info.file_size, info.compress_size)
        try:
            return archive.read(info)
        except Exception as error:  # as above
            raise DataError(
                f"{path}: {info.filename} cannot be unpacked ({type(error).__name__})"
            ) from None

    with archive:
        yield Tree(
            str(path), tuple(sorted(files)), tuple(sorted(folders)),
            lambda parts: files[parts].file_size, read,
        )  # fmt: skip
