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
from shiftadd.kept_arrays import keep_arrays
from shiftadd.requests import PathLike, given_path

if TYPE_CHECKING:
    from gen.plan.plan import Plan
    from model.arch import Architecture
    from model.data import Dataset
    from model.spec import Network
    from shiftadd.results import CompileOutcome, TrainOutcome

BUILT_IN = ("digits", "fashion-mnist")
"""Data sets by whose name alone older networks say what they were trained on."""
NetworkLike: TypeAlias = "PathLike | Network | TrainOutcome"
"""Folder of a trained network, a Network, or what `train` returned."""
BuildLike: TypeAlias = "PathLike | CompileOutcome"
"""Folder that `compile` wrote, or what it returned."""
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
    from model.spec import Network
    from shiftadd.results import TrainOutcome

    if isinstance(net, TrainOutcome):
        net = net.folder
    if isinstance(net, str | os.PathLike):
        folder = given_path(net, "NET")
        whole = folder.resolve()
        run = whole.parent if whole.name == "network" else whole  # as `train` leaves it in a run
        return GivenNetwork(store.load(folder), file_name(run.name), str(folder))
    if not isinstance(net, Network):
        raise RequestError(
            "a network must be its folder, a Network or what train returned, "
            f"not {type(net).__name__}"
        )
    return GivenNetwork(net, file_name(str(net.about.get("name", "network"))), "")


def build_of(build: BuildLike | None) -> Path | None:
    """Folder of a build. Raises RequestError."""
    from shiftadd.results import CompileOutcome

    if build is None or isinstance(build, CompileOutcome):
        return build.folder if build else None
    return given_path(build, "--build")


def file_name(text: str) -> str:
    """`text` as the name of a folder: what is neither a letter, a digit, `_`, `.` nor `-` is `-`,
    and it does not begin with a dot."""
    kept = "".join(c if c.isalnum() or c in "_.-" else "-" for c in text)
    kept = kept.encode()[:100].decode(errors="ignore")  # file systems count bytes
    return kept.lstrip(".") or "unnamed"


def architecture_of(
    arch: ArchitectureLike, data: Dataset | None, *, fit: bool = False
) -> Architecture:
    """For `data`, if any: built-in ones take their ends from it, others with `fit`.

    Raises ArchitectureError.
    """
    from model import zoo
    from model.arch import Architecture, validate

    if isinstance(arch, Architecture):
        made = validate(arch)
        return made if data is None else zoo.for_data(made, data, fit_classes=fit)
    if not isinstance(arch, str | os.PathLike):
        raise RequestError(
            "an architecture must be a name, a file or an Architecture, "
            f"not {type(arch).__name__}; data are given as data="
        )
    given_path(arch, "ARCH")
    return zoo.load(arch) if data is None else zoo.for_data(arch, data, fit_classes=fit)


def data_of(data: DataLike, *, keep: bool = False) -> Dataset:
    """The data set. keep: arrays are written to a file, by which it can be loaded again later.

    Raises DataError.
    """
    from model import data as datasets

    if isinstance(data, datasets.Dataset | str | os.PathLike):
        return datasets.load(data)
    arrays = _arrays(data)
    made = datasets.from_arrays(*arrays)
    return datasets.load(keep_arrays(arrays)) if keep else made


def source_of(data: DataLike) -> str:
    """What `model.data.load` finds a data set by: a name or a path. Arrays, and a Dataset that
    cannot be loaded again, are written to a file."""
    if isinstance(data, str):
        return data
    if isinstance(data, os.PathLike):
        return str(Path(data).absolute())  # which is no built-in name
    from model import data as datasets

    if not isinstance(data, datasets.Dataset):
        return data_of(data, keep=True).source
    if data.source and datasets.load(data.source).digest == data.digest:
        return data.source
    arrays = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    path = keep_arrays(arrays, data.classes)
    if datasets.load(path).digest != data.digest:
        raise RequestError(
            f"{data.name}: this Dataset cannot be kept in a file as it is; give its arrays, or the "
            "path of its files"
        )
    return str(path.resolve())


def _arrays(data: Sequence[Any]) -> tuple[Any, ...]:
    """(x, y) or (x, y, x_test, y_test)."""
    if not isinstance(data, tuple | list) or len(data) not in (2, 4):
        raise RequestError(
            "data must be a name, a path, a Dataset or a tuple of arrays, (x, y) or "
            f"(x, y, x_test, y_test), not {type(data).__name__}"
        )
    return tuple(data)


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
