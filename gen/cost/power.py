"""What an FPGA spends: the coefficients of energy, each with where it comes from.

`power.json` has the published figures. Of a UP5K they were measured on a board: core current at
12 MHz of designs that differ in one thing. Their differences are the clock tree and the energy of
what the designs do more; sim.energy.published simulates them and fits the energy of a toggle. On
other devices these figures are scaled: by the square of the core voltage and by the process, the
clock tree also by the number of LUTs, as its wires grow with the device. A scaled figure is no
measurement.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from gen.support.devices import DEVICES, Device

FACTS = Path(__file__).with_name("power.json")
Origin = Literal["measured", "fitted", "vendor", "scaled"]
"""measured on a board; fitted to such measurements; a typical figure of the vendor's data sheet;
scaled from another device."""
BOARD = "ice40-up5k"
WORDS = {
    "static_uw": "static power", "clock_pj": "clock tree", "toggle_pj": "toggles",
    "glitch": "glitches", "bram_pj": "blocks of RAM", "dsp_pj": "multipliers",
}  # fmt: skip
"""Coefficients, as reports call them."""
CARRY = 0.1
"""Energy of a toggle of a carry, which ends in the neighbouring cell, in toggles of a net."""
READ_PJ, READ_BITS, READ_SIZE, READ_VOLT = 10.0, 64, 8 * 8192, 0.9
"""The published access that accesses of blocks of RAM are scaled from."""


@dataclass(frozen=True)
class Coefficient:
    """A figure, how it is known and from where."""

    value: float
    origin: Origin
    source: str


@dataclass(frozen=True)
class Power:
    """Coefficients of one device.

    static_uw: µW while it does nothing. clock_pj: the clock tree, a cycle. toggle_pj: of a net
    behind a LUT or a flip-flop. glitch: further toggles of a net for each that is counted without
    delays and each LUT before the last one on the way to it. bram_pj: an access of a block of RAM.
    dsp_pj: a toggle of an output of a multiplier. All energies in pJ.
    """

    static_uw: Coefficient
    clock_pj: Coefficient
    toggle_pj: Coefficient
    glitch: Coefficient
    bram_pj: Coefficient
    dsp_pj: Coefficient

    def idle_uw(self, mhz: float) -> float:
        """µW while no image comes and the clock of `mhz` runs on."""
        return self.static_uw.value + self.clock_pj.value * mhz

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Value, origin and source of each, by its name."""
        return {name: dict(vars(one)) for name, one in vars(self).items()}

    @property
    def origin(self) -> str:
        """In a few words, for a table: what an energy of this device is made of."""
        words = dict.fromkeys(one.origin for one in vars(self).values())
        return ", ".join(words)

    @property
    def origins(self) -> str:
        """What is known how, as one line: static power vendor; clock tree, ... scaled."""
        groups: dict[str, list[str]] = {}
        for name, one in vars(self).items():
            groups.setdefault(one.origin, []).append(WORDS[name])
        return "; ".join(f"{', '.join(names)} {origin}" for origin, names in groups.items())


def published() -> dict[str, float]:
    """pJ a cycle of the measured designs: a counter of 28 bits, the clock tree, and what a product
    adds in LUTs and in a multiplier, with its operands."""
    now = _facts()["designs"]
    pj = now["volt"] / now["mhz"]
    counter = (now["counters_8"] - now["counters_1"]) / 7 * pj
    return {
        "counter": counter,
        "clock": (now["counters_1"] - now["halted"]) * pj - counter,
        "product_lut": (now["product_lut"] - now["base"]) * pj,
        "product_dsp": (now["product_dsp"] - now["base"]) * pj,
    }


@cache
def power(device: Device) -> Power:
    """The coefficients of a device; those of the other packages of a device are the same."""
    facts = _facts()
    name = next(key for key in facts["devices"] if device.name.startswith(key))
    here, there = facts["devices"][name], facts["devices"][BOARD]
    scale = (here["volt"] / there["volt"]) ** 2 * here["nm"] / there["nm"]
    board, own = facts["sources"]["board"], name == BOARD
    size = device.lut / DEVICES[BOARD].lut

    def taken(value: float, by: float = 1.0, origin: Origin = "fitted") -> Coefficient:
        """A figure of the board, for this device."""
        return Coefficient(value * (1.0 if own else by), origin if own else "scaled", board)

    value, origin, source = here["static_uw"]
    return Power(
        static_uw=Coefficient(value, origin, facts["sources"][source]),
        clock_pj=taken(published()["clock"], scale * size, "measured"),
        toggle_pj=taken(facts["fitted"]["toggle_pj"], scale),
        glitch=taken(facts["fitted"]["glitch"]),
        bram_pj=_access(device, here["volt"], facts["sources"]["horowitz"]),
        dsp_pj=taken(facts["fitted"]["dsp_pj"], scale),
    )


def _access(device: Device, volt: float, source: str) -> Coefficient:
    """Of a row of a block: by its bits, the root of its size and the square of the voltage."""
    bits = 16 if device.family == "ice40" else 36
    one = READ_PJ * bits / READ_BITS * (device.bram_bits / READ_SIZE) ** 0.5
    return Coefficient(one * (volt / READ_VOLT) ** 2, "scaled", source)


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))
    return facts
