"""The clock that a placed network reaches, from how full the device is and what its worst path is.

Slowness is the device's usual period (1000 / `Device.mhz` ns) times a sum of prices: a base, a
share for the LUTs in use, since placement gets tight, and one for a pool that keeps its partial
results in a block of RAM: from there a comparison, a choice and the way back fit into one cycle
(on ECP5 such a block alone takes 5.8 ns). On iCE40 pools are no slower than the rest, since few
flip-flops have an enable of their own (gen.flow.synth). Placement itself scatters by about a tenth
around any such sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gen.cost.fit import total
from gen.plan.plan import PlannedLayer
from gen.support.devices import Device
from rtl.pe.element import weightless

UNIT = 1000
"""Thousandths of the device's usual period, in which slowness and its prices are given."""


def clock_features(stages: Sequence[PlannedLayer], lut: float, device: Device) -> dict[str, float]:
    """base: 1. use: share of the device's LUTs. pool_ram: 1 with a pool that has a block of RAM."""
    blocks = any(weightless(s.kind) and s.fold.line_buffer == "block" for s in stages)
    return {"base": 1.0, "use": round(lut / device.lut, 4), "pool_ram": float(blocks)}


def slowness(fmax_mhz: float, device: Device) -> float:
    """Period at `fmax_mhz` in UNIT of the device's usual one."""
    return UNIT * device.mhz / fmax_mhz


def fmax(features: Mapping[str, float], prices: Mapping[str, float], device: Device) -> float:
    """MHz, from `clock_features` and their prices."""
    slow = total(features, prices)
    return UNIT * device.mhz / slow if slow else device.mhz
