"""Energy of an image from simulated activity: static, clock tree, and toggles times energies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gen.compile import CACHE
from gen.cost.energy import Energy
from gen.cost.power import Power, power
from gen.engine.elaborate import Accelerator
from gen.plan.plan import Plan
from gen.support.devices import Device, device
from model.errors import RequestError
from model.spec import Network
from sim.bench.simulators import BUILD
from sim.energy.activity import Toggles, image_toggles

IMAGES = 8
"""Images whose activity is counted unless there are fewer."""


@dataclass(frozen=True)
class ActivityEnergy:
    """energy: of an image, back to back at `mhz`, one each `cycles_interval` cycles. toggles: an
    image. images: that were simulated. coefficients: with the source of each."""

    device: str
    mhz: float
    cycles_interval: int
    images: int
    energy: Energy
    toggles: Toggles
    coefficients: Power

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        made = self.energy
        return {
            "device": self.device, "mhz": self.mhz, "cycles_interval": self.cycles_interval,
            "images": self.images, "energy_nj": made.total, "parts_nj": made.as_dict(),
            "power_uw": made.power_uw(self.mhz * 1e6 / self.cycles_interval),
            "toggles": {**self.toggles.nets, "deep": self.toggles.deep},
            "bram_accesses": self.toggles.accesses, "origin": self.coefficients.origin,
            "coefficients": self.coefficients.as_dict(),
        }  # fmt: skip

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {nj:.1f}" for name, nj in self.energy.as_dict().items())
        return (
            f"{self.energy.total:.1f} nJ an image on {self.device} at {self.mhz:.1f} MHz, one each "
            f"{self.cycles_interval} cycles ({parts}); coefficients: {self.coefficients.origin}"
        )


def parts(toggles: Toggles, interval: float, mhz: float, with_: Power) -> Energy:
    """Energy of an image with these toggles, one each `interval` cycles at a clock of `mhz`."""
    net, nets = with_.toggle_pj.value, toggles.nets
    logic = nets["lut"] + nets["carry"] + with_.glitch.value * toggles.deep
    return Energy(
        static=with_.static_uw.value * interval / mhz / 1e3,
        clock=with_.clock_pj.value * interval / 1e3,
        logic=net * logic / 1e3,
        registers=net * nets["ff"] / 1e3,
        memories=(with_.bram_pj.value * toggles.accesses + net * nets["bram"]) / 1e3,
        multipliers=with_.dsp_pj.value * nets["dsp"] / 1e3,
        idle_uw=with_.idle_uw(mhz),
    )


def activity_energy(
    network: Network,
    plan: Plan,
    accelerator: Accelerator,
    images: torch.Tensor,
    mhz: float,
    *,
    cache: Path = CACHE,
    root: Path = BUILD,
    progress: Callable[[str], None] = lambda step: None,
) -> ActivityEnergy:
    """Simulates the synthesised netlist of `accelerator` on the first IMAGES of `images`.

    mhz: the clock that it runs at. Raises RequestError, SimulatorError, ToolError.
    """
    if len(images) == 0:
        raise RequestError("no images: energy needs at least one")
    target: Device = device(plan.device)
    few = images[:IMAGES]
    toggles = image_toggles(
        network, accelerator, target, few, cache=cache, root=root, progress=progress
    )
    known = power(target)
    energy = parts(toggles, plan.cycles_interval, mhz, known)
    return ActivityEnergy(target.name, mhz, plan.cycles_interval, len(few), energy, toggles, known)
