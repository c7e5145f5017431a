"""Spaces as TOML files: the built-in ones in search/space/spaces/, or a user's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.data import Dataset
from model.files import PLAIN_NAME, is_plain_name
from model.kinds import kind_names
from model.records import LARGEST_TOML, contents, decode
from search.space.space import (
    HEADS,
    REDUCTIONS,
    Candidate,
    Choice,
    Space,
    SpaceError,
    Stage,
    StageChoice,
)

FOLDER = Path(__file__).with_name("spaces")
TOP = ("shape", "classes", "input_bits", "act_bits", "score_bits", "first", "stage", "last")
OPS = ("conv", "separable", "residual")
WAY_OUT = "docs/own-space.md describes the file"
SMALLEST, LARGE = 4, 12
"""Of the smaller side of images: that two reductions leave something of; that wants three."""
LARGER, MANY_LUTS = "-large", 20_000
"""How the names of spaces with larger networks end, and the LUTs of a board that these are for."""
LARGEST, DEEPEST, WIDEST, MOST_NETWORKS = 1 << 16, 64, 16, 10**100
"""Of any number: channels, kernel, bits; of the layers of a stage; of activation bits; of the
networks of a space."""


def built_in() -> tuple[str, ...]:
    """Names of the spaces that come with shiftadd."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name_or_path: str | os.PathLike[str]) -> Space:
    """The space of a TOML file, or a built-in one by name. Raises SpaceError, one line."""
    name = os.fspath(name_or_path)
    path = FOLDER / f"{name}.toml" if name in built_in() else Path(name)
    if not path.is_file():
        raise SpaceError(
            f"{name}: neither a file nor a built-in space; built in are {', '.join(built_in())}"
        )
    if not is_plain_name(path.stem):
        raise SpaceError(f"{name}: the name of a space must be {PLAIN_NAME}; rename the file")
    content = contents(path, error=SpaceError, most=LARGEST_TOML, way_out=WAY_OUT)
    table = decode(
        content, dict[str, Any], source=name, error=SpaceError, way_out=WAY_OUT, toml=True
    )
    return parse(table, path.stem)


def for_data(data: Dataset, luts: int = 0) -> Space:
    """The built-in space for what `data` holds, with its number of classes.

    Images of another size, and other tables, get the layers of the space `based_on` names. luts:
    that a network may take; from MANY_LUTS on, images of a space that has larger networks get them.
    """
    large = [name for name in built_in() if name.endswith(LARGER)]
    spaces = [load(name) for name in built_in() if name not in large]
    fitting = [s for s in spaces if (s.shape, s.input_bits) == (data.shape, data.format.bits)]
    if not fitting:
        name = "x".join(map(str, data.shape))
        near = load(based_on(data.shape, data.name))
        fitting = [replace(near, name=name, shape=data.shape, input_bits=data.format.bits)]
    larger = f"{fitting[0].name}{LARGER}"
    space = load(larger) if luts >= MANY_LUTS and larger in large else fitting[0]
    return with_classes(space, len(data.classes))


def based_on(shape: tuple[int, int, int], name: str) -> str:
    """The built-in space whose layers suit images of `shape`; SpaceError where none does."""
    height, width, channels = shape
    if (height, width) == (1, 1):
        return "table"
    if min(height, width) < SMALLEST:
        raise SpaceError(
            f"{name}: no built-in space for {height}×{width}×{channels}, whose smaller side is "
            f"less than {SMALLEST}; name a file of your own with --space, as docs/own-space.md says"
        )
    if min(height, width) < LARGE:
        return "8x8"
    return "28x28" if channels == 1 else "32x32"


def with_classes(space: Space, classes: int) -> Space:
    """`space` for another number of classes: it does not matter before the last layer."""
    return replace(space, classes=classes)


def parse(table: dict[str, Any], name: str) -> Space:
    """The Space that a TOML table declares; SpaceError names the key that breaks a rule."""
    _known(table, TOP, name)
    first, last = _need(table, "first", dict, name), _need(table, "last", dict, name)
    stages = _need(table, "stage", list, name)
    first_at, last_at = f"{name}: first", f"{name}: last"
    acts = _act_bits(table, name)
    own = acts if len(acts) > 1 else (0,)
    _known(first, ("channels", *kind_names()), first_at)
    _known(last, ("head", *kind_names()), last_at)
    shape = _need(table, "shape", list, name)
    if len(shape) != 3 or not all(type(n) is int and n > 0 for n in shape):
        raise SpaceError(f"{name}: shape {shape} must be three integers: height, width, channels")
    space = Space(
        name=name,
        shape=(shape[0], shape[1], shape[2]),
        classes=_need(table, "classes", int, name),
        input_bits=_need(table, "input_bits", int, name),
        act_bits=max(acts),
        score_bits=_need(table, "score_bits", int, name),
        first_channels=_numbers(first, "channels", first_at),
        first=_layers(first, first_at, ("conv",), own),
        stages=tuple(_stage(row, f"{name}: stage {i}", own) for i, row in enumerate(stages, 1)),
        heads=_words(last, "head", HEADS, last_at),
        last=_layers(last, last_at, ()),
    )
    if space.size > MOST_NETWORKS:
        raise SpaceError(f"{name}: more than 10^100 networks; give it fewer choices or layers")
    for candidate in _every_choice(space):
        space.architecture(candidate)  # raises where a width breaks a rule
    return space


def _every_choice(space: Space) -> Iterator[Candidate]:
    """The largest networks, one of fewest channels, and such as have each layer of the space once:
    as many at a time as there are places, since a network takes half a millisecond."""
    yield from (space.largest(kind) for kind in space.kinds)
    whole = space.largest(space.kinds[0])
    pairs = list(zip(whole.stages, space.stages, strict=True))
    yield replace(
        whole, first_channels=min(space.first_channels),
        stages=tuple(replace(o, channels=min(s.channels)) if o.layers else o for o, s in pairs),
    )  # fmt: skip
    places = (space.first, space.last, *(stage.choices for stage in space.stages))
    for k in range(max(map(len, places))):
        first, last, *inner = (among[k % len(among)] for among in places)
        stages = tuple(map(_ending_in, whole.stages, inner))
        yield replace(whole, first=first, last=last, stages=stages)


def _ending_in(own: StageChoice, layer: Choice) -> StageChoice:
    """`own` with `layer` in the place of its last one, or a residual block behind a single one; as
    it is where it has no layers."""
    if not own.layers:
        return own
    kept = own.layers[:-1]
    if layer.op == "residual":
        kept = kept or own.layers
    return replace(own, layers=(*kept, layer))


def _act_bits(table: dict[str, Any], name: str) -> tuple[int, ...]:
    """One number for all layers, or a list from which each layer takes its own."""
    if not isinstance(table.get("act_bits"), list):
        return (_need(table, "act_bits", int, name),)
    acts = _numbers(table, "act_bits", name, WIDEST)
    if 0 in acts:
        raise SpaceError(f"{name}: act_bits {list(acts)} must be from 1 to {WIDEST}")
    return acts


def _stage(row: dict[str, Any], where: str, acts: Sequence[int]) -> Stage:
    if not isinstance(row, dict):
        raise SpaceError(f"{where}: {row!r} must be a table")
    _known(row, ("reduce", "channels", "depth", *kind_names()), where)
    return Stage(
        _words(row, "reduce", REDUCTIONS, where),
        _numbers(row, "channels", where),
        _numbers(row, "depth", where, DEEPEST),
        _layers(row, where, OPS, acts),
    )


def _layers(
    row: dict[str, Any], where: str, ops: Sequence[str], acts: Sequence[int] = (0,)
) -> tuple[Choice, ...]:
    """They stand under their kind: `mult = { conv = [1, 3], bits = [4] }`; without `ops`, dense.
    acts: bits of their outputs."""
    kinds = kind_names()
    shapes = [c for kind in kinds if kind in row for c in _choices(row, kind, where, ops)]
    choices = [replace(shape, act_bits=act) for shape in shapes for act in acts]
    if not choices:
        raise SpaceError(f"{where}: no kind of layer; give it one of {', '.join(kinds)}")
    return tuple(choices)


def _choices(row: dict[str, Any], kind: str, where: str, ops: Sequence[str]) -> list[Choice]:
    table, where = _need(row, kind, dict, where), f"{where}: {kind}"
    _known(table, (*ops, "bits"), where)
    shapes = [(op, k) for op in ops if op in table for k in _numbers(table, op, where)]
    if not ops:
        shapes = [("dense", 1)]
    if not shapes:
        raise SpaceError(f"{where}: no kernel; give it {' or '.join(ops[:2])}")
    if ("separable", 1) in shapes:
        raise SpaceError(f"{where}: a separable kernel 1 is a conv kernel 1; leave it out")
    for op, k in shapes:
        if op == "residual" and ("conv", k) not in shapes:
            rule = f"needs conv {k} beside it, for where it cannot stand"
            raise SpaceError(f"{where}: residual kernel {k} {rule}")
    return [Choice(kind, op, k, b) for op, k in shapes for b in _numbers(table, "bits", where)]


def _known(row: dict[str, Any], keys: Sequence[str], where: str) -> None:
    unknown = sorted(set(row) - set(keys))
    if unknown:
        raise SpaceError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(keys)}")


def _need(row: dict[str, Any], key: str, of: type, where: str) -> Any:
    value = row.get(key)
    if not isinstance(value, of) or not value:
        raise SpaceError(f"{where}: {key} {value!r} must be a {_NAMES[of]}")
    return value


_NAMES = {int: "positive integer", list: "list", dict: "table"}


def _numbers(row: dict[str, Any], key: str, where: str, most: int = LARGEST) -> tuple[int, ...]:
    values = _need(row, key, list, where)
    whole = all(type(v) is int and 0 <= v <= most for v in values)
    if not whole or len(set(values)) < len(values):
        raise SpaceError(f"{where}: {key} {values} must be different integers from 0 to {most}")
    return tuple(values)


def _words(row: dict[str, Any], key: str, known: Sequence[str], where: str) -> tuple[str, ...]:
    values = _need(row, key, list, where)
    wrong = [v for v in values if v not in known]
    if wrong or len(set(values)) < len(values):
        raise SpaceError(
            f"{where}: {key} {wrong[0] if wrong else values!r} must be different ones of "
            f"{', '.join(known)}"
        )
    return tuple(values)
