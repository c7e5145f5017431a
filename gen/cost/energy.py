"""Energy of an image as the FPGA spends it, predicted from a plan.

static · time + clock tree · cycles, by the coefficients of gen.cost.power, and the activity: cells
by kind of layer times the cycles in which the layer works, times what such a cell takes in such a
cycle. That is fitted to simulated netlists of random networks (`energy_fit.json`, written by
`python -m search.studies.energy`; sim.energy has the simulation). It holds when images come back to
back at the plan's own predicted clock; `power_uw` is that of another rate. For the figures of the
literature, see gen.cost.energy_45nm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from gen.cost.power import BOARD, FACTS, power
from gen.plan.plan import Plan
from gen.support.devices import DEVICES, Device
from model.kinds import kind, kind_names

FIT = Path(__file__).with_name("energy_fit.json")
FEATURES = ("lut_mult", "lut_shift", "lut_add", "lut_other", "bram", "dsp")
"""Cells at work; LUTs by the operation of the layer's kind, those of layers without one as other.
"""
PARTS = {"lut": "logic", "bram": "memories", "dsp": "multipliers"}


@dataclass(frozen=True)
class Energy:
    """nJ an image, one after the other. static: what the device takes idle. clock: its tree.

    logic: LUTs and carries. registers: flip-flops, which a prediction has in logic. memories:
    blocks of RAM. idle_uw: what goes on while no image comes, static and the clock that runs.
    """

    static: float = 0.0
    clock: float = 0.0
    logic: float = 0.0
    registers: float = 0.0
    memories: float = 0.0
    multipliers: float = 0.0
    idle_uw: float = 0.0

    @property
    def total(self) -> float:
        return sum(self.as_dict().values())

    @property
    def activity(self) -> float:
        """What cells take, without the clock tree."""
        return self.total - self.static - self.clock

    def as_dict(self) -> dict[str, float]:
        """nJ by part."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "idle_uw"}

    def power_uw(self, fps: float) -> float:
        """µW at `fps` images a second: what goes on always, and the activity of so many images."""
        return self.idle_uw + self.activity * fps / 1e3


def energy(plan: Plan, mhz: float, device: Device) -> Energy:
    """Energy of an image on `device`, folded as `plan` says, at a clock of `mhz`."""
    known, interval = power(device), plan.cycles_interval
    made = dict.fromkeys(PARTS.values(), 0.0)
    prices = _prices(device)
    for name, count in features(plan).items():
        made[PARTS[name.split("_")[0]]] += count * prices[name] / 1e3
    return Energy(
        static=known.static_uw.value * interval / mhz / 1e3,
        clock=known.clock_pj.value * interval / 1e3,
        idle_uw=known.idle_uw(mhz),
        **made,
    )


def features(plan: Plan) -> dict[str, float]:
    """Cells by kind times the cycles an image in which their layer works."""
    counts = dict.fromkeys(FEATURES, 0.0)
    for stage in plan.stages:
        busy = min(stage.cycles, plan.cycles_interval)
        name = f"lut_{kind(stage.kind).unit}" if stage.kind in kind_names() else "lut_other"
        counts[name] += stage.cost.lut * busy
        counts["bram"] += stage.cost.bram * busy
        counts["dsp"] += stage.cost.dsp * busy
    return counts


def model_hash() -> str:
    """Content hash of all figures that a prediction stands on."""
    return hashlib.sha256(FACTS.read_bytes() + FIT.read_bytes()).hexdigest()


@cache
def _prices(device: Device) -> Mapping[str, float]:
    """pJ of a cell in a cycle in which its layer works, by feature: those of the simulated device
    of the family, by the energy of a toggle on this one. A family without takes the board's."""
    fits = json.loads(FIT.read_text(encoding="utf-8"))
    row = fits.get(device.family) or fits[DEVICES[BOARD].family]
    simulated = DEVICES[row["samples"][0]["device"]]
    scale = power(device).toggle_pj.value / power(simulated).toggle_pj.value
    return {name: price * scale for name, price in row["prices"].items()}
