"""What a caller may give: names, paths, or the objects themselves. Each becomes the object.

Heavy imports happen inside.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from model.errors import RequestError, ShiftaddError
from shiftadd.requests import PathLike, given_path

if TYPE_CHECKING:
    from gen.plan.plan import Plan
    from model.arch import Architecture
    from model.data import Dataset
    from model.spec import Network

BUILT_IN = ("digits", "fashion-mnist")
"""Data sets by whose name alone older networks say what they were trained on."""
NetworkLike: TypeAlias = "PathLike | Network"
"""Folder of a trained network, or a Network."""
ArchitectureLike: TypeAlias = "PathLike | Architecture"
"""A built-in architecture by name, a JSON file, or an Architecture."""
DataLike: TypeAlias = "PathLike | Dataset | Sequence[Any]"
"""A data set by name or path, a Dataset, or arrays: (x, y), or (x, y, x_test, y_test)."""
PlanLike: TypeAlias = "PathLike | Plan"
"""A plan.json, or a Plan."""


@dataclass(frozen=True)
class GivenNetwork:
    """A network and how it was named. name: of folders made for it. place: what a command calls
    it, empty for a Network that was given as an object."""

    network: Network
    name: str
    place: str


def network_of(net: NetworkLike) -> GivenNetwork:
    """Raises NetworkError where the folder is missing, foreign or damaged."""
    from model import store

    if isinstance(net, str | os.PathLike):
        folder = given_path(net, "NET")
        return GivenNetwork(store.load(folder), folder.resolve().name, str(folder))
    return GivenNetwork(net, file_name(str(net.about.get("name", "network"))), "")


def file_name(text: str) -> str:
    """`text` as the name of a folder: what is neither a letter, a digit, `_`, `.` nor `-` is `-`,
    and it does not begin with a dot."""
    kept = "".join(c if c.isalnum() or c in "_.-" else "-" for c in text)[:100]
    return kept.lstrip(".") or "unnamed"


def architecture_of(arch: ArchitectureLike) -> Architecture:
    """Raises ArchitectureError."""
    from model import zoo
    from model.arch import validate

    return zoo.load(arch) if isinstance(arch, str | os.PathLike) else validate(arch)


def data_of(data: DataLike) -> Dataset:
    """Raises DataError."""
    from model import data as datasets

    if isinstance(data, datasets.Dataset):
        return data
    if isinstance(data, str | os.PathLike):
        return datasets.load(data)
    raise RequestError("data: arrays must be (x, y)")


def data_for(given: GivenNetwork, data: DataLike | None) -> tuple[Dataset, tuple[str, ...]]:
    """The data set that is asked for, or the one that the network was trained on; and notes.

    Raises RequestError where that is not to be found, or is no longer what it was.
    """
    about = given.network.about
    name, digest = given.place or given.name, about.get("data_hash")
    if data is not None:
        asked = data_of(data)
        other = isinstance(digest, str) and digest != asked.digest
        return asked, (f"{asked.name}: not the data that {name} was trained on",) if other else ()
    source = _source(about, name)
    try:
        known = data_of(source)
    except ShiftaddError as error:
        raise RequestError(
            f"{name}: the data that it was trained on cannot be read; give --data: {error}"
        ) from None
    if isinstance(digest, str) and digest != known.digest:
        raise RequestError(
            f"{source}: not what it was when {name} was trained on it; bring that back, or give "
            "--data to use other data"
        )
    return known, ()


def _source(about: Mapping[str, Any], name: str) -> str:
    """What a network says to have been trained on: a built-in name, or an absolute path."""
    source = about.get("data_source")
    if isinstance(source, str) and source:
        return source
    said = about.get("data")
    if said in BUILT_IN:  # networks that note no source
        return str(said)
    called = f" but its name, {said!r}" if said else ""
    raise RequestError(f"{name}: the network says nothing of its data{called}; give --data")


def plan_of(plan: PlanLike, board: str, **limits: float | None) -> Plan:
    """The plan, which must be for `board` and leaves nothing to ask of planning."""
    from gen.plan.plan import load
    from gen.support.devices import device

    path = given_path(plan, "--plan") if isinstance(plan, str | os.PathLike) else None
    place = str(path) if path else "the plan"
    if asked := [f"--{name}" for name, value in limits.items() if value is not None]:
        raise RequestError(f"{', '.join(asked)}: {place} is planned already; drop --plan or these")
    made = plan if not isinstance(plan, str | os.PathLike) else load(Path(plan))
    if made.device != (wanted := device(board).name):
        raise RequestError(f"{place}: planned for {made.device}, not for {wanted}; mind --board")
    return made
