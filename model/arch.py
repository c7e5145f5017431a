"""What a search chooses: the Architecture, a tuple of blocks. Small, hashable, JSON; no torch.

Every weighted block is followed by batch norm, requantisation and, but for the last, a ReLU.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from inspect import cleandoc
from math import prod
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from model import records
from model.errors import ShiftaddError
from model.files import PLAIN_NAME, is_plain_name, write
from model.kinds import kind, kind_names
from model.records import FileHead, brief

Rules = dict[str, tuple[bool, str]]
FORMAT, VERSION = "shiftadd-architecture", 1
LARGEST, MOST_BLOCKS = 1 << 24, 1000
"""Numbers of an image, and weights of a layer; larger ones fit no device and take all memory."""
WAY_OUT = "mend the file or make it again"
CONVOLUTIONS = ("conv", "depthwise", "separable", "residual")
WEIGHTED = (*CONVOLUTIONS, "dense")
OPS = (*WEIGHTED, "maxpool", "avgpool", "globalavg")
MULTIPLIERS = ("integer", "two-digit", "power")


def _said(description: str, **rules: Any) -> Meta:
    """What the JSON Schema of a file says of a field; `validate` is what holds it."""
    return Meta(description=description, extra_json_schema=rules)


class ArchitectureError(ShiftaddError, ValueError):
    """An architecture breaks a rule; the message names block, bad value and rule."""


@dataclass(frozen=True)
class Block:
    """One step of an Architecture.

    conv: kernel × kernel convolution to `channels`. depthwise: one kernel a channel. separable:
    depthwise, then 1×1 to `channels`. residual: two convs beside an identity (a 1×1 conv where
    shapes differ), then their sum. dense: fully connected. maxpool, avgpool: kernel and stride.
    globalavg: mean of the image. `act_bits` is the width of the block's output; fields that an op
    does not use keep their default.

    >>> shiftadd.Block("conv", "shift", 16, weight_bits=4).weighted
    True
    """

    op: Annotated[str, _said("what the block computes", enum=list(OPS))]
    kind: Annotated[str, _said("mult, shift, add, or a kind of one's own")] = "mult"
    channels: Annotated[int, _said("outputs; 0 for depthwise and pools", minimum=0)] = 0
    kernel: Annotated[int, _said("1, 3 or 5; of a pool any", minimum=1)] = 3
    stride: Annotated[int, _said("of the window, both ways", minimum=1, maximum=4)] = 1
    padding: Annotated[str, _said("same: zeros around the image", enum=["same", "valid"])] = "same"
    weight_bits: Annotated[int, _said("2 to 8; of shift 2 to 4", minimum=2, maximum=8)] = 8
    act_bits: Annotated[int, _said("of the block's output", minimum=1, maximum=16)] = 8

    @property
    def weighted(self) -> bool:
        return self.op in WEIGHTED


@dataclass(frozen=True)
class Architecture:
    """Blocks from an unsigned input of `shape` (height, width, channels) to scores.

    `multiplier` says what the requantisers may multiply by: "integer" (signed, `multiplier_bits` of
    magnitude), "two-digit" (a sum or difference of two powers of two) or "power" (±a power of two).

    >>> blocks = (shiftadd.Block("dense", "mult", 16), shiftadd.Block("dense", "mult", 3))
    >>> shiftadd.Architecture("small", (1, 1, 13), blocks).classes
    3
    """

    name: Annotated[str, _said("a plain file name", minLength=1, maxLength=100)]
    shape: Annotated[tuple[int, int, int], _said("of the input: height, width, channels")]
    blocks: Annotated[
        tuple[Block, ...],
        _said("from input to scores, the last one dense", minItems=1, maxItems=MOST_BLOCKS),
    ]
    input_bits: Annotated[int, _said("of the unsigned input", minimum=1, maximum=8)] = 8
    multiplier: Annotated[
        str, _said("what requantisers may multiply by", enum=list(MULTIPLIERS))
    ] = "integer"
    multiplier_bits: Annotated[int, _said("of that multiplier", minimum=2, maximum=16)] = 8

    @property
    def id(self) -> str:
        """12 hex digits that depend on everything but the name; the same everywhere."""
        row = {key: value for key, value in asdict(self).items() if key != "name"}
        return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def classes(self) -> int:
        return self.blocks[-1].channels


def validate(arch: Architecture) -> Architecture:
    """`arch`, checked; raises ArchitectureError at the first broken rule."""
    shape = len(arch.shape) == 3 and all(_whole(n) and n > 0 for n in arch.shape)
    small = shape and prod(arch.shape) <= LARGEST
    wide = _whole(arch.multiplier_bits) and 2 <= arch.multiplier_bits <= 16
    ends = 1 <= len(arch.blocks) <= MOST_BLOCKS and arch.blocks[-1].op == "dense"
    sizes = f"three positive integers: height, width, channels, of product up to {LARGEST}"
    rules = {
        "name": (is_plain_name(arch.name), PLAIN_NAME),
        "shape": (small, sizes),
        "input_bits": (_whole(arch.input_bits) and 1 <= arch.input_bits <= 8, "1 to 8"),
        "multiplier": (arch.multiplier in MULTIPLIERS, f"one of {', '.join(MULTIPLIERS)}"),
        "multiplier_bits": (wide, "2 to 16"),
        "blocks": (ends, f"1 to {MOST_BLOCKS}, the last of them dense (the scores)"),
    }
    _apply(brief(arch.name).strip("'"), arch, rules)
    height, width, channels = arch.shape
    for index, block in enumerate(arch.blocks):
        where = f"{arch.name}: block {index} ({block.op})"
        _apply(where, block, _rules(block))
        taps = height * width if block.op == "dense" else block.kernel**2
        weights = taps * channels * (block.channels or 1) if block.weighted else 0
        most = f"{where}: {weights} weights of one layer; at most {LARGEST} are trained"
        _need(weights <= LARGEST, most)
        channels = block.channels or channels
        height, width = (size_behind(block, n) for n in (height, width))
        fits = min(height, width) >= 1
        _need(fits, f"{where}: kernel {block.kernel} is larger than what is left of the image")
    return arch


def _rules(block: Block) -> Rules:
    chooses = block.weighted and block.op != "depthwise"
    pool = _whole(block.kernel) and block.kernel > 0
    kernel = block.kernel in (1, 3, 5) if block.weighted else pool
    known = block.kind in kind_names()
    least, most = kind(block.kind).weight_bits if known else (2, 8)
    padding = ("same",) if block.op == "residual" else ("same", "valid")
    numbers = {f.name for f in fields(Block)} - {"op", "kind", "padding"}
    whole = {n: (_whole(getattr(block, n)), "an integer") for n in numbers}
    wrong = {name: rule for name, rule in whole.items() if not rule[0]}
    return wrong or {
        "op": (block.op in OPS, f"one of {', '.join(OPS)}"),
        "kind": (known, f"one of {', '.join(kind_names())}"),
        "channels": ((block.channels > 0) == chooses, "positive where outputs are chosen, else 0"),
        "kernel": (kernel, "1, 3 or 5 (positive in a pool)"),
        "stride": (block.stride in (1, 2, 3, 4), "1 to 4"),
        "padding": (block.padding in padding, f"one of {', '.join(padding)}"),
        "weight_bits": (least <= block.weight_bits <= most, f"{least} to {most} for {block.kind}"),
        "act_bits": (1 <= block.act_bits <= 16, "1 to 16"),
    }


def _apply(where: str, checked: Block | Architecture, rules: Rules) -> None:
    for name, (ok, rule) in rules.items():
        _need(ok, f"{where}: {name} {getattr(checked, name)!r} must be {rule}")


def size_behind(block: Block, size: int) -> int:
    """Height or width of a block's output, from that of its input."""
    if block.op in ("dense", "globalavg"):
        return 1
    pad = block.kernel // 2 if block.op in CONVOLUTIONS and block.padding == "same" else 0
    return (size + 2 * pad - block.kernel) // block.stride + 1


def fit(
    arch: Architecture, *, shape: tuple[int, int, int], input_bits: int, classes: int
) -> Architecture:
    """`arch` for an input of `shape` and `input_bits` and so many `classes`; its blocks are kept.

    Raises ArchitectureError where the image is too small for them.
    """
    blocks = (*arch.blocks[:-1], replace(arch.blocks[-1], channels=classes))
    return validate(replace(arch, shape=shape, input_bits=input_bits, blocks=blocks))


def schema() -> dict[str, Any]:
    """JSON Schema of an architecture file, from the fields of Architecture and Block."""
    (_,), parts = msgspec.json.schema_components([Architecture], ref_template="#/$defs/{name}")
    whole = parts.pop("Architecture")
    head = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "id": {"type": "string", "description": "12 hex digits of the content; may be left out"},
    }
    whole["properties"] = head | whole["properties"]
    whole["required"] = ["format", "version", *whole["required"]]
    for part in (whole, *parts.values()):
        part |= {"additionalProperties": False, "description": _text(part["description"])}
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **whole, "$defs": parts}


def _text(docstring: str) -> str:
    """Without its example."""
    return cleandoc(docstring).partition("\n\n>>>")[0]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _need(ok: bool, message: str) -> None:
    if not ok:
        raise ArchitectureError(message)


def with_kind(arch: Architecture, name: str) -> Architecture:
    """`arch` with every weighted block of kind `name`, but for the first and the last.

    Weights have the first block's width, or what is usual for the kind.
    """
    at = [i for i, block in enumerate(arch.blocks) if block.weighted]
    bits = kind(name).usual_bits or arch.blocks[at[0]].weight_bits
    blocks = list(arch.blocks)
    for i in at[1:-1]:
        blocks[i] = replace(blocks[i], kind=name, weight_bits=bits)
    return validate(replace(arch, name=f"{arch.name}-{name}", blocks=tuple(blocks)))


def to_json(arch: Architecture) -> str:
    return (
        json.dumps({"format": FORMAT, "version": VERSION, "id": arch.id} | asdict(arch), indent=1)
        + "\n"
    )


def from_json(text: str | bytes, source: str = "architecture") -> Architecture:
    """The Architecture in `text`, validated; `source` names it in an ArchitectureError."""
    head = FileHead(FORMAT, VERSION)
    row = records.decode(
        text, dict[str, Any], source=source, error=ArchitectureError, head=head, way_out=WAY_OUT
    )
    given = row.pop("id", None)
    made = records.convert(
        row, Architecture, source=source, error=ArchitectureError, way_out=WAY_OUT
    )
    arch = validate(made)
    named = given in (None, arch.id)
    _need(named, f"{source}: id {brief(given)} is not {arch.id}, its content's; drop the id")
    return arch


def save(arch: Architecture, path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, to_json(validate(arch)))
    return path


def kinds_used(arch: Architecture) -> Iterator[str]:
    """Kinds of the weighted blocks, in order."""
    return (block.kind for block in arch.blocks if block.weighted)
