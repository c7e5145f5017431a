"""The clock that a placed network reaches, from how full the device is and how wide it fans out.

Slowness is the device's usual period (1000 / `Device.mhz` ns) times a sum of prices: a base, a
share for the LUTs in use, since placement gets tight, and one for the widest layer, since its
enable and its inputs reach all of it. Placement itself scatters by about a tenth around any such
sum (nextpnr with other seeds), so more features tell no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2

from gen.devices import Device
from gen.plan import Fold

UNIT = 1000
"""Thousandths of the device's usual period, in which slowness and its prices are given."""


def clock_features(folds: Iterable[Fold], lut: float, device: Device) -> dict[str, float]:
    """base: 1. use: share of the device's LUTs. fan: doublings of the widest layer's lanes."""
    widest = max(f.pe * f.lanes * f.parallel for f in folds)
    return {"base": 1.0, "use": round(lut / device.lut, 4), "fan": round(log2(widest), 4)}


def slowness(fmax_mhz: float, device: Device) -> float:
    """Period at `fmax_mhz` in UNIT of the device's usual one."""
    return UNIT * device.mhz / fmax_mhz


def fmax(features: Mapping[str, float], prices: Mapping[str, float], device: Device) -> float:
    """MHz, from `clock_features` and their prices."""
    slow = sum(prices.get(name, 0.0) * value for name, value in features.items())
    return UNIT * device.mhz / slow if slow else device.mhz
