"""Architectures: arch."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import RequestError
from shiftadd.inputs import ArchitectureLike, DataLike, architecture_of, data_of
from shiftadd.requests import PathLike, check_file
from shiftadd.results.architectures import ArchOutcome

if TYPE_CHECKING:
    from model.data import Dataset

ACTIONS = ("list", "show", "new")


def arch(
    action: str = "list",
    name: ArchitectureLike | None = None,
    *,
    data: DataLike | None = None,
    kind: str | None = None,
    out: PathLike | None = None,
) -> ArchOutcome:
    """Built-in architectures, one of them, or a new one for a data set.

    action: `list` all, as they are for `data`; `show` the one called `name`, or in that file; `new`
    makes a file `out` for `data`, of the built-in `name` or what is usual. kind: of all layers but
    the first and the last. Raises ShiftaddError.

    >>> shiftadd.arch("list", data="wine").listing[-1]["shape"]
    [1, 1, 13]
    >>> shiftadd.arch("show", "digits_mlp").architecture.classes
    10
    """
    _check(action, name, data, kind, out)
    file = check_file(out)
    from model import zoo
    from model.arch import save, with_kind

    known = None if data is None else data_of(data)
    called = _called(data, known)
    if action == "list":
        return ArchOutcome(tuple(zoo.listing(known)), data=called)
    if action == "new":
        assert known is not None
        made = zoo.new(known, None if name is None else os.fspath(_built_in(name)))
    else:
        assert name is not None
        made = architecture_of(name, known)
    if kind:
        made = replace(with_kind(made, kind), name=f"{made.name}_{kind}")
    if file:
        save(made, file)
    place = str(file or name) if file or isinstance(name, str | os.PathLike) else ""
    return ArchOutcome(architecture=made, file=file, place=place, data=called)


def _check(
    action: str,
    name: ArchitectureLike | None,
    data: DataLike | None,
    kind: str | None,
    out: PathLike | None,
) -> None:
    """RequestError for what an action lacks, or can do nothing with."""
    if action not in ACTIONS:
        raise RequestError(f"arch {action}: must be one of {', '.join(ACTIONS)}")
    given = {"a name": name, "--kind": kind, "--out": out, "--data": data}
    idle = {"list": ("a name", "--kind", "--out"), "show": ("--kind", "--out"), "new": ()}
    needed = {"list": (), "show": ("a name",), "new": ("--data", "--out")}
    for what in idle[action]:
        if given[what] is not None:
            raise RequestError(f"arch {action}: has no use for {what}; drop it")
    for what in needed[action]:
        if given[what] is None:
            raise RequestError(f"arch {action}: needs {what}; see shiftadd arch --help")
    if out is not None and Path(out).exists() and not Path(out).is_dir():
        raise RequestError(f"--out {out}: is there already; remove it, or name a new file")


def _built_in(name: ArchitectureLike) -> str:
    """The name of a built-in architecture, from which a new one may be made."""
    from model import zoo

    if not isinstance(name, str) or name not in zoo.NAMES:
        raise RequestError(
            f"arch new {name if isinstance(name, str) else ''}: must be a built-in architecture; "
            f"they are {', '.join(zoo.NAMES)}"
        )
    return name


def _called(data: DataLike | None, known: Dataset | None) -> str:
    """What a command calls the data set; D where there is none yet."""
    if isinstance(data, str | os.PathLike):
        return os.fspath(data)
    return (known.source if known else "") or "D"
