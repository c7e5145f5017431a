"""Boards of the user's own: entries of TOML files, named by SHIFTADD_BOARDS or by other packages.

A file is a table for each board, by its name; docs/own-board.md describes the fields. Here the form
is checked; gen.boards.own checks pins and clock against the device.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any

import msgspec

from model import records
from model.errors import RequestError

VARIABLE, GROUP = "SHIFTADD_BOARDS", "shiftadd.boards"
WAY_OUT = "see docs/own-board.md"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Text = Annotated[str, msgspec.Meta(max_length=500)]
Site = Annotated[str, msgspec.Meta(pattern=r"^!?[A-Z]{0,2}[0-9]{1,3}$")]
"""A pin of the package; `!` before it: active low."""


@dataclass(frozen=True)
class OscillatorEntry:
    """The oscillator on the board. mhz: its frequency."""

    pin: Site
    mhz: Annotated[float, msgspec.Meta(gt=0, le=1000)]


@dataclass(frozen=True)
class SerialEntry:
    """The serial line. rx, tx: pins of the FPGA that listens and talks. chip: on its other side, by
    the names of gen.host.ports, or an adapter that the user names by its port. baud: its most."""

    rx: Site
    tx: Site
    chip: Text = "adapter"
    baud: Annotated[int, msgspec.Meta(ge=1_000_000, le=12_000_000)] = 1_000_000


@dataclass(frozen=True)
class BoardEntry:
    """One board. Fields beyond those here are those of gen.boards.board.Board.

    io: attributes of the I/O buffers of all pins, in the words of the family's tools. load:
    arguments of openFPGALoader; none where another tool loads the board, which `note` then tells.
    """

    device: Text
    clock: OscillatorEntry
    serial: SerialEntry
    leds: Annotated[tuple[Site, ...], msgspec.Meta(max_length=8)] = ()
    button: Site | None = None
    high: Annotated[tuple[Site, ...], msgspec.Meta(max_length=16)] = ()
    pll: str = "core"
    io: dict[str, Text] = field(default_factory=dict)
    load: tuple[Text, ...] = ()
    note: Text = ""


def board_entries() -> dict[str, tuple[BoardEntry, str]]:
    """All own boards, by name: the entry and where it stands. RequestError where one is wrong."""
    entries: dict[str, tuple[BoardEntry, str]] = {}
    for source, table in (*_of_files(), *_of_packages()):
        for name, entry in checked(table, source).items():
            if name in entries:
                raise RequestError(
                    f"{source}: board {name} is in {entries[name][1]} already; rename one"
                )
            entries[name] = entry, source
    return entries


def checked(table: object, source: str) -> dict[str, BoardEntry]:
    """The boards of a parsed `table`; RequestError says what is wrong where in `source`."""
    tables = records.convert(
        table, dict[str, dict[str, Any]], source=source, error=RequestError, way_out=WAY_OUT
    )
    boards: dict[str, BoardEntry] = {}
    for name, fields in tables.items():
        if not NAME.fullmatch(name):
            raise RequestError(
                f"{source}: board {name[:80]!r}: a name is of a-z, 0-9 and -, at most 64 of them"
            )
        boards[name] = records.convert(
            fields,
            BoardEntry,
            source=f"{source}: board {name}",
            error=RequestError,
            way_out=WAY_OUT,
        )
    return boards


def read(path: Path) -> dict[str, Any]:
    """The tables of one file, unchecked."""
    content = records.contents(path, error=RequestError, most=records.LARGEST_TOML, way_out=WAY_OUT)
    table: dict[str, Any] = records.decode(
        content,
        dict[str, Any],
        source=str(path),
        error=RequestError,
        way_out=WAY_OUT,
        toml=True,
    )
    return table


def _of_files() -> Iterator[tuple[str, object]]:
    for name in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        yield name, read(Path(name).expanduser())


def _of_packages() -> Iterator[tuple[str, object]]:
    for point in _points():
        source = f"entry point {GROUP} {point.name}"
        given = _loaded(point, source)
        yield source, read(Path(given)) if isinstance(given, str | os.PathLike) else given


@cache
def _points() -> tuple[EntryPoint, ...]:
    return tuple(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def _loaded(point: EntryPoint, source: str) -> Any:
    """What an entry point names: the path of a file, a mapping, or a function that returns one."""
    try:
        given = point.load()
        given = given() if callable(given) else given
    except Exception as error:  # the package's own code
        text = " ".join(str(error).split())
        raise RequestError(f"{source}: {type(error).__name__}: {text}; mend that package") from None
    if not isinstance(given, str | os.PathLike | Mapping):
        raise RequestError(f"{source}: a {type(given).__name__}; must be a path or a mapping")
    return given
