"""The plan: how each layer is folded onto one device, exact cycles, predicted cost. Pure data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gen.support.errors import PlanError
from model.errors import UNREADABLE
from model.files import write

FORMAT = "shiftadd-plan"
VERSION = 1
Multiplier = Literal["dsp", "lut"]


@dataclass(frozen=True)
class Cost:
    """Resources of a device. lut: 4-input LUTs as the family's place and route counts them."""

    lut: float = 0
    ff: float = 0
    dsp: int = 0
    bram: int = 0

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
    blocks whose rows hold several words.
    """

    pe: int = 1
    lanes: int = 1
    taps: int = 1
    out_lanes: int = 1
    multiplier: Multiplier = "lut"
    requant: Multiplier = "lut"
    weights: str = "logic"
    line_buffer: str = "logic"


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


def load(path: Path) -> Plan:
    """Reads a plan; raises PlanError when the file is damaged, foreign, or of a newer version."""
    try:
        document = json.loads(path.read_text())
    except UNREADABLE as error:
        raise PlanError(
            f"{path}: not a readable plan ({error}); compile the network again"
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanError(f"{path}: not a plan of shiftadd; compile the network again")
    if document.get("version") != VERSION:
        raise PlanError(
            f"{path}: plan version {document.get('version')}, this program reads {VERSION}"
        )
    try:
        raw = document["plan"]
        stages = tuple(
            PlannedLayer(s["name"], s["kind"], fold_of(s["fold"]), s["cycles"], Cost(**s["cost"]))
            for s in raw.pop("stages")
        )
        fifos = {k: (v[0], v[1]) for k, v in raw.pop("fifos").items()}
        plan = Plan(stages=stages, fifos=fifos, cost=Cost(**raw.pop("cost")), **raw)
    except UNREADABLE as error:
        raise PlanError(f"{path}: damaged plan ({error}); compile the network again") from None
    if plan.hash != document.get("hash"):
        raise PlanError(
            f"{path}: the plan was changed after it was made; compile the network again"
        )
    return plan
