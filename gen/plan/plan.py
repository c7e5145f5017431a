"""The plan: how each layer is folded onto one device, exact cycles, predicted cost. Pure data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from gen.support.errors import PlanError
from model.files import write
from model.records import Count, Digest, FileHead, Positive, Whole, read

FORMAT = "shiftadd-plan"
VERSION = 2
WAY_OUT = "compile the network again"
Multiplier = Literal["dsp", "lut"]
ProductStyle = Literal["dsp", "packed", "lut"]
"""What forms the products of a layer: `packed` is two of them in one hardware multiplier."""
Word = Literal["pixel", "row", "image"]
WORDS: tuple[Word, ...] = get_args(Word)


@dataclass(frozen=True)
class Cost:
    """Resources of a device. lut: 4-input LUTs as the family's place and route counts them."""

    lut: Count = 0
    ff: Count = 0
    dsp: Whole = 0
    bram: Whole = 0

    def largest(self, other: Cost) -> Cost:
        """Of each resource the larger number."""
        return Cost(
            max(self.lut, other.lut), max(self.ff, other.ff), max(self.dsp, other.dsp),
            max(self.bram, other.bram),
        )  # fmt: skip

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram
        )


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Folding and memories of one layer.

    pe: output channels in parallel. lanes: input channels in parallel. taps: kernel taps in
    parallel. (SIMD is lanes · taps.) out_lanes: channels of an output word. multiplier, requant:
    hardware that multiplies in the lanes and in the requantiser. weights, line_buffer: where the
    weights and the row buffer lie, `block`, `distributed` or `logic`; weights also in `parts`:
    blocks whose rows hold several words, or `wired`: they are constants in a graph of adders.
    logic_pe: of the PE, those whose products are made of LUTs beside those on multipliers.
    staged: lanes have a register within, see rtl.pe.shift.
    word: what an input word holds; a row or an image only where weights are wired, and then all
    its values count as channels, here and at the output.
    """

    pe: int = 1
    lanes: int = 1
    taps: int = 1
    out_lanes: int = 1
    multiplier: ProductStyle = "lut"
    requant: Multiplier = "lut"
    weights: str = "logic"
    line_buffer: str = "logic"
    logic_pe: int = 0
    word: Word = "pixel"
    staged: bool = False


@dataclass(frozen=True)
class PlannedLayer:
    """One layer in the plan. cycles: for one image when neither neighbour makes it wait."""

    name: str
    kind: str
    fold: Fold
    cycles: int
    cost: Cost


@dataclass(frozen=True)
class Plan:
    """A folding of the network with `network_hash` for `device`.

    fifos: depth of the FIFO before each input of a residual join, 0 for none, by the join's name.
    cycles_latency and cycles_interval are exact. cost is predicted.

    >>> from gen.plan import plan
    >>> made = plan.load(shiftadd.compile("net", board="up5k", quiet=True).folder / "plan.json")
    >>> isinstance(made, shiftadd.Plan), made.device, made.cycles_interval
    (True, 'ice40-up5k', 36)
    """

    network_hash: str
    device: str
    stages: tuple[PlannedLayer, ...]
    fifos: dict[str, tuple[int, int]] = field(default_factory=dict)
    cycles_latency: int = 0
    cycles_interval: int = 0
    cost: Cost = Cost()

    def fold(self, name: str) -> Fold:
        """Of the layer called `name`; StopIteration when there is none."""
        return next(s.fold for s in self.stages if s.name == name)

    @property
    def hash(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(_canonical(_as_dict(self)).encode()).hexdigest()


def latency_us(cycles: int, mhz: float) -> float:
    """Microseconds that `cycles` take at a clock of `mhz`."""
    return cycles / mhz


def inferences_per_s(interval: int, mhz: float) -> float:
    """Images a second, one every `interval` cycles at a clock of `mhz`."""
    return mhz * 1e6 / interval


FILE_KEYS = {"taps": "parallel", "out_lanes": "drain", "line_buffer": "ring"}
"""Fields of Fold by their names in files. Other names there would be another format: every plan's
hash would change."""


def fold_as_dict(fold: Fold) -> dict[str, Any]:
    """As files have it."""
    return {FILE_KEYS.get(name, name): value for name, value in vars(fold).items()}


def fold_of(row: Mapping[str, Any]) -> Fold:
    """The fold that `fold_as_dict` made a row of. Raises TypeError for another row."""
    fields = {key: name for name, key in FILE_KEYS.items()}
    return Fold(**{fields.get(key, key): value for key, value in row.items()})


def _as_dict(plan: Plan) -> dict[str, Any]:
    raw = asdict(plan)
    for row, layer in zip(raw["stages"], plan.stages, strict=True):
        row["fold"] = fold_as_dict(layer.fold)
    return raw


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def save(plan: Plan, path: Path) -> None:
    """Writes the plan as JSON with its own hash."""
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, "hash": plan.hash, "plan": _as_dict(plan)}, indent=1
    )
    write(path, text + "\n")


@dataclass(frozen=True)
class _FoldRow:
    """A fold in a file, see FILE_KEYS."""

    pe: Positive
    lanes: Positive
    parallel: Positive
    drain: Positive
    multiplier: ProductStyle
    requant: Multiplier
    weights: Literal["block", "distributed", "logic", "parts", "wired"]
    ring: Literal["block", "distributed", "logic"]
    logic_pe: Whole
    word: Word
    staged: bool


@dataclass(frozen=True)
class _LayerRow:
    name: str
    kind: str
    fold: _FoldRow
    cycles: Whole
    cost: Cost


@dataclass(frozen=True)
class _PlanRow:
    network_hash: Digest
    device: str
    stages: tuple[_LayerRow, ...]
    fifos: dict[str, tuple[Whole, Whole]]
    cycles_latency: Whole
    cycles_interval: Whole
    cost: Cost


@dataclass(frozen=True)
class _PlanFile:
    hash: Digest
    plan: _PlanRow


def load(path: Path) -> Plan:
    """Reads a plan; raises PlanError when the file is damaged, foreign, or of a newer version."""
    document = read(
        path, _PlanFile, error=PlanError, head=FileHead(FORMAT, VERSION), way_out=WAY_OUT
    )
    row = document.plan
    stages = tuple(
        PlannedLayer(s.name, s.kind, fold_of(vars(s.fold)), s.cycles, s.cost) for s in row.stages
    )
    plan = Plan(**vars(row) | {"stages": stages})
    if plan.hash != document.hash:
        raise PlanError(f"{path}: the plan was changed after it was made; {WAY_OUT}")
    return plan
