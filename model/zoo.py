"""Built-in architectures by name: of fixed size, and families that are made for a data set."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.arch import (
    WAY_OUT,
    Architecture,
    ArchitectureError,
    Block,
    fit,
    from_json,
    kinds_used,
    validate,
    with_kind,
)
from model.counts import weights_of
from model.data import Dataset
from model.families import image, residual, table
from model.kinds import ordered_kinds
from model.records import contents

Shape = tuple[int, int, int]


def _digits_hybrid() -> Architecture:
    """8×8 digits, all three kinds, 3.2 k weights: small enough for a UP5K."""
    return Architecture(
        name="digits_hybrid",
        shape=(8, 8, 1),
        input_bits=5,
        blocks=(
            Block("conv", "mult", 8, weight_bits=6, act_bits=6),
            Block("conv", "add", 12, weight_bits=6, act_bits=6),
            Block("maxpool", kernel=2, stride=2),
            Block("conv", "shift", 16, weight_bits=4, act_bits=6),
            Block("maxpool", kernel=2, stride=2),
            Block("dense", "mult", 10, weight_bits=6, act_bits=10),
        ),
    )


def _fashion_hybrid() -> Architecture:
    """28×28 Fashion-MNIST, all three kinds, 70 k weights at 8 bits or fewer."""
    return Architecture(
        name="fashion_hybrid",
        shape=(28, 28, 1),
        blocks=(
            Block("conv", "mult", 16),
            Block("maxpool", kernel=2, stride=2),
            Block("conv", "add", 32),
            Block("maxpool", kernel=2, stride=2),
            Block("conv", "shift", 64, weight_bits=4),
            Block("conv", "shift", 64, weight_bits=4),
            Block("maxpool", kernel=2, stride=2),
            Block("dense", "mult", 10, act_bits=12),
        ),
    )


def _digits_conv(kind: str) -> Architecture:
    """Bench workload (a): conv 4×3×3, max-pool 2, dense 10; 4-bit weights and activations."""
    return Architecture(
        name=f"digits_conv_{kind}",
        shape=(8, 8, 1),
        input_bits=5,
        blocks=(
            Block("conv", kind, 4, padding="valid", weight_bits=4, act_bits=4),
            Block("maxpool", kernel=2, stride=2),
            Block("dense", "mult", 10, weight_bits=4, act_bits=8),
        ),
    )


def _digits_mlp() -> Architecture:
    """Bench workload (c): MLP 64-16-10, int8."""
    blocks = (Block("dense", "mult", 16), Block("dense", "mult", 10))
    return Architecture(name="digits_mlp", shape=(8, 8, 1), input_bits=5, blocks=blocks)


@dataclass(frozen=True)
class BlockFamily:
    """Architectures of one name, made for shape and classes. about: a line; table: for tables."""

    about: str
    blocks: Callable[[Shape, int], tuple[Block, ...]]
    table: bool = False
    kind: str | None = None
    """Of all blocks but the first and the last; by default the family's own."""

    def make(self, name: str, shape: Shape, input_bits: int, classes: int) -> Architecture:
        """The member of the family `name` for an input of `shape`; raises ArchitectureError."""
        made = validate(Architecture(name, shape, self.blocks(shape, classes), input_bits))
        return made if self.kind is None else replace(with_kind(made, self.kind), name=name)


def _families() -> dict[str, BlockFamily]:
    small, usual = (lambda s, c, base=b: image(s, c, base) for b in (8, 16))
    made = {
        "image_small": BlockFamily("images, few weights: for the smallest FPGAs", small),
        "image_hybrid": BlockFamily("images of any size, all three kinds", usual),
        "image_residual": BlockFamily("images in colour or with detail: residual blocks", residual),
        "table_small": BlockFamily(
            "tables, few weights: for the smallest FPGAs", lambda s, c: table(s, c, 16), True
        ),
        "table_hybrid": BlockFamily("tables: products, then shifts", table, True),
    }
    for kind in ordered_kinds():
        made[f"image_{kind}"] = BlockFamily(f"images, {kind} between", usual, kind=kind)
        made[f"table_{kind}"] = BlockFamily(f"tables, {kind} between", table, True, kind)
    return made


def _fixed() -> dict[str, Architecture]:
    hybrids = [_digits_hybrid(), _fashion_hybrid()]
    uniform = [
        replace(with_kind(h, kind), name=h.name.replace("hybrid", kind))
        for h in hybrids
        for kind in ordered_kinds()
    ]
    bench = [_digits_conv(kind) for kind in ordered_kinds()]
    return {arch.name: validate(arch) for arch in (*hybrids, *uniform, *bench, _digits_mlp())}


ARCHITECTURES = _fixed()
"""Of fixed blocks, by name."""
FAMILIES = _families()
"""By name; their depth and width come from the data."""
NAMES = (*ARCHITECTURES, *FAMILIES)
EXAMPLES: dict[bool, tuple[Shape, int, int]] = {
    False: ((28, 28, 1), 8, 10),
    True: ((1, 1, 16), 8, 10),
}
"""Shape, input bits and classes of which a family is shown without data; True: for tables."""


def load(name_or_path: str | os.PathLike[str]) -> Architecture:
    """An Architecture from a JSON file, or one of the built-in ones by name.

    A family is given for one of EXAMPLES; `for_data` makes it for a data set.
    """
    name = os.fspath(name_or_path)
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if name in FAMILIES:
        return FAMILIES[name].make(name, *EXAMPLES[FAMILIES[name].table])
    if not Path(name).is_file():
        near = difflib.get_close_matches(name, (*ARCHITECTURES, *FAMILIES), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ArchitectureError(
            f"{name}: neither a file nor built in; {hint}built in are {_names()}"
        )
    return from_json(contents(Path(name), error=ArchitectureError, way_out=WAY_OUT), name)


def for_data(
    given: str | os.PathLike[str] | Architecture, data: Dataset, *, fit_classes: bool = False
) -> Architecture:
    """The architecture `given` by name, path or itself, to be trained on `data`.

    A built-in one takes input and classes from the data, and a family its blocks as well. Files
    and Architectures do so on request (`fit_classes`); else they are left as they are. Raises
    ArchitectureError where an image is too small for the blocks.
    """
    name = None if isinstance(given, Architecture) else os.fspath(given)
    if name in FAMILIES:
        return FAMILIES[name].make(name, data.shape, data.format.bits, len(data.classes))
    arch = given if isinstance(given, Architecture) else load(given)
    if name not in ARCHITECTURES and not fit_classes:
        return arch
    try:
        return fit(arch, shape=data.shape, input_bits=data.format.bits, classes=len(data.classes))
    except ArchitectureError as error:
        raise ArchitectureError(
            f"{error}; {data.name} is {data.shape}: {usual(data)} is made for it"
        ) from None


def usual(data: Dataset) -> str:
    """The name of the family that suits `data`, where nothing else is said."""
    return "table_hybrid" if data.table else "image_hybrid"


def new(data: Dataset, base: str | None = None, name: str | None = None) -> Architecture:
    """An architecture for `data` to begin with: of the built-in `base`, called `name`."""
    arch = for_data(base or usual(data), data)
    return validate(replace(arch, name=name or arch.name))


def listing(data: Dataset | None = None) -> list[dict[str, Any]]:
    """A row for each built-in architecture, as it is for `data`: name, about, shape, classes,
    weights, kinds; without those that do not suit the data."""
    return list(_rows(data))


def _rows(data: Dataset | None) -> Iterator[dict[str, Any]]:
    for name in NAMES:
        family = FAMILIES.get(name)
        if data is not None and family and family.table != data.table:
            continue
        try:
            arch = load(name) if data is None else for_data(name, data)
        except ArchitectureError:
            continue
        yield {
            "name": name,
            "about": family.about if family else "fixed blocks",
            "family": family is not None,
            "shape": list(arch.shape),
            "classes": arch.classes,
            "weights": weights_of(arch),
            "blocks": len(arch.blocks),
            "kinds": sorted(set(kinds_used(arch))),
        }


def _names() -> str:
    return ", ".join(NAMES)
