"""Energy of an image as the FPGA spends it, predicted from a plan.

static · time + clock tree · cycles, by the coefficients of gen.cost.power, and the activity. That
is what goes on in each LUT in a cycle in which its layer works, little, as most of it is control;
and what each term of a sum takes, however many are worked out at once: a layer takes as much for
them at any folding. Blocks of RAM count by the cycles in which their layer works, multipliers by
these and by their products. Prices are fitted to simulated netlists of networks, trained and random
(`energy_fit.json`, written by `python -m search.studies.energy`; sim.energy has the simulation). It
holds when images come back to back at the plan's own predicted clock; `power_uw` is that of another
rate. For the figures of the literature, see gen.cost.energy_45nm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from gen.cost.power import BOARD, FACTS, power
from gen.plan.lower import lower
from gen.plan.plan import Fold, Plan
from gen.support.devices import DEVICES, Device
from model.kinds import kind
from model.spec import Conv, Dense, Network
from rtl.pe.element import pe

FIT = Path(__file__).with_name("energy_fit.json")
FEATURES = ("lut", "term_mult", "term_shift", "term_add", "bram", "dsp", "product")
"""LUTs, blocks of RAM and multipliers, times the cycles in which their layer works; bits of the
inputs of all terms that LUTs work out, those of products times the bits of the weights; and bits of
both operands of all products of multipliers.
"""
PARTS = {"bram": "memories", "dsp": "multipliers", "product": "multipliers"}
"""Parts of an energy by feature; all others are logic."""


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


def power_uw(
    energy_nj: float | None, idle_uw: float | None, most: float | None, fps: float
) -> float | None:
    """µW at `fps` images a second of what takes `energy_nj` an image at `most` of them, one after
    the other: what goes on always, and the activity of so many images. None where one of these is
    unknown, or `fps` more than `most`."""
    if energy_nj is None or idle_uw is None or not most or fps > most:
        return None
    return idle_uw + (energy_nj / 1e3 - idle_uw / most) * fps


def energy(network: Network, plan: Plan, mhz: float, device: Device) -> Energy:
    """Energy of an image on `device`, folded as `plan` says, at a clock of `mhz`."""
    known, interval = power(device), plan.cycles_interval
    made = dict.fromkeys(("logic", *PARTS.values()), 0.0)
    prices = _prices(device)
    for name, count in features(network, plan).items():
        made[PARTS.get(name, "logic")] += count * prices[name] / 1e3
    return Energy(
        static=known.static_uw.value * interval / mhz / 1e3,
        clock=known.clock_pj.value * interval / 1e3,
        idle_uw=known.idle_uw(mhz),
        **made,
    )


def features(network: Network, plan: Plan) -> dict[str, float]:
    """What is at work an image, by FEATURES."""
    counts = dict.fromkeys(FEATURES, 0.0)
    for stage in plan.stages:
        busy = min(stage.cycles, plan.cycles_interval)
        for name in ("lut", "bram", "dsp"):
            counts[name] += getattr(stage.cost, name) * busy
    folds = {stage.name: stage.fold for stage in plan.stages}
    for layer in lower(network):
        if isinstance(layer.op, Conv | Dense):
            x, w, in_logic = layer.sources[0].bits, layer.op.bits, _in_logic(folds[layer.name])
            bits = x * (w if pe(layer.kind).MULTIPLIES else 1)
            counts[f"term_{kind(layer.kind).unit}"] += layer.macs * in_logic * bits
            counts["product"] += layer.macs * (1 - in_logic) * (x + w)
    return counts


def _in_logic(fold: Fold) -> float:
    """Of the terms of a layer, the part that LUTs work out."""
    return 1.0 if fold.multiplier == "lut" else fold.logic_pe / fold.pe


def model_hash() -> str:
    """Content hash of all figures that a prediction stands on."""
    return hashlib.sha256(FACTS.read_bytes() + FIT.read_bytes()).hexdigest()


@cache
def _prices(device: Device) -> Mapping[str, float]:
    """pJ of one of each feature: those of the simulated device of the family, by the energy of a
    toggle on this one. A family without takes the board's."""
    fits = json.loads(FIT.read_text(encoding="utf-8"))
    row = fits.get(device.family) or fits[DEVICES[BOARD].family]
    simulated = DEVICES[row["samples"][0]["device"]]
    scale = power(device).toggle_pj.value / power(simulated).toggle_pj.value
    return {name: price * scale for name, price in row["prices"].items()}
