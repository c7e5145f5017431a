"""The plan: how each layer is folded onto one device, exact cycles, predicted cost. Pure data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gen.support.files import write

FORMAT = "shiftadd-plan"
VERSION = 1
Multiplier = Literal["dsp", "lut"]


class PlanError(ValueError):
    """A plan cannot be made, read or used; the message says why and what would help."""


class DoesNotFit(PlanError):
    """No folding of the network fits the device or is as fast as asked.

    ratio: what it takes of the scarcest resource, over what may be used; above 1.
    """

    def __init__(self, message: str, ratio: float = 2.0) -> None:
        super().__init__(message)
        self.ratio = ratio


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

    pe: output channels in parallel. lanes: input channels in parallel. parallel: kernel taps in
    parallel. (SIMD is lanes · parallel.) drain: channels of an output word. multiplier, requant:
    hardware that multiplies in the lanes and in the requantiser. weights, ring: style of the weight
    memory and of the line buffer, `block`, `distributed` or `logic`; weights may also be `parts`,
    blocks whose rows hold several words.
    """

    pe: int = 1
    lanes: int = 1
    parallel: int = 1
    drain: int = 1
    multiplier: Multiplier = "lut"
    requant: Multiplier = "lut"
    weights: str = "logic"
    ring: str = "logic"


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
        return hashlib.sha256(_canonical(asdict(self)).encode()).hexdigest()


def latency_us(cycles: int, mhz: float) -> float:
    """Microseconds that `cycles` take at a clock of `mhz`."""
    return cycles / mhz


def inferences_per_s(interval: int, mhz: float) -> float:
    """Images a second, one every `interval` cycles at a clock of `mhz`."""
    return mhz * 1e6 / interval


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def save(plan: Plan, path: Path) -> None:
    """Writes the plan as JSON with its own hash."""
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, "hash": plan.hash, "plan": asdict(plan)}, indent=1
    )
    write(path, text + "\n")


def load(path: Path) -> Plan:
    """Reads a plan; raises PlanError when the file is damaged, foreign, or of a newer version."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
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
            PlannedLayer(s["name"], s["kind"], Fold(**s["fold"]), s["cycles"], Cost(**s["cost"]))
            for s in raw.pop("stages")
        )
        fifos = {k: (v[0], v[1]) for k, v in raw.pop("fifos").items()}
        plan = Plan(stages=stages, fifos=fifos, cost=Cost(**raw.pop("cost")), **raw)
    except (KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"{path}: damaged plan ({error}); compile the network again") from None
    if plan.hash != document.get("hash"):
        raise PlanError(
            f"{path}: the plan was changed after it was made; compile the network again"
        )
    return plan
