"""A board: its FPGA, and where clock, serial line, button and lights are.

Pins come from amaranth-boards, which is imported when a board is used. An entry names them by
resource ("uart 0 rx", "led 0") or by connector ("gpio_0:1"), and adds what the platform does not
have: the USB chip of the serial line, and how a bitstream is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from importlib import import_module
from itertools import chain
from typing import Any

from gen.boards.pll import MHZ, PllSetting, settings
from gen.support.devices import BOARDS, DEVICES, Device
from model.errors import RequestError
from rtl.link.uart import RATES, fastest_rate

LEAST_BAUD = 1_000_000


@dataclass(frozen=True)
class Pin:
    """A pin of the package. attributes: of the I/O buffer, in the words of the family's tools."""

    site: str
    inverted: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    """One entry. platform: class in amaranth-boards, as module:Class.

    clock, rx, tx, leds, button, high: see `Board.pin`. high: outputs that are kept high. leds, the
    first shows that the clock runs; none where there is none to spare. pll: "core", or "pad" where
    an iCE40's clock comes in on the pin of the PLL itself. uart: the other side of the serial line.
    baud: the most that it keeps up with. loading: the tool that loads a bitstream. loader: its
    arguments, where it is openFPGALoader. note: what the user has to do before.
    """

    name: str
    platform: str
    clock: str
    uart: str
    baud: int
    rx: str = "uart 0 rx"
    tx: str = "uart 0 tx"
    leds: tuple[str, ...] = ("led 0", "led 1", "led 2")
    button: str | None = None
    high: tuple[str, ...] = ()
    pll: str = "core"
    loader: tuple[str, ...] = ()
    loading: str = "openFPGALoader"
    note: str = ""

    @property
    def device(self) -> Device:
        return DEVICES[BOARDS[self.name]]

    @cached_property
    def definition(self) -> Any:
        """The board's platform in amaranth-boards."""
        module, name = self.platform.split(":")
        return getattr(import_module(f"amaranth_boards.{module}"), name)()

    @property
    def clock_hz(self) -> int:
        """Frequency of the oscillator on the board."""
        name, number, *_ = self.clock.split()
        return int(self.definition.lookup(name, int(number)).clock.frequency)

    def pin(self, where: str) -> Pin:
        """A pin by resource ("name number", a further word for a part of it) or by connector."""
        if ":" in where:
            return Pin(self._sites[where], attributes=self._standard)
        name, number, *part = where.split()
        resource = self.definition.lookup(name, int(number))
        attributes = dict(resource.attrs)
        (pins,) = resource.ios if not part else [self._part(resource, part[0], attributes)]
        (site,) = pins.map_names(self._sites, resource)
        return Pin(site, pins.invert, {k: str(v) for k, v in attributes.items()})

    @staticmethod
    def _part(resource: Any, name: str, attributes: dict[str, Any]) -> Any:
        (part,) = (io for io in resource.ios if io.name == name)
        attributes.update(part.attrs)
        return part.ios[0]

    @property
    def _sites(self) -> dict[str, str]:
        return dict(chain.from_iterable(self.definition.connectors.values()))

    @property
    def _standard(self) -> dict[str, str]:
        return {} if self.device.family == "ice40" else {"IO_TYPE": "LVCMOS33"}

    def clocks(self) -> list[PllSetting]:
        """Clocks with which the serial link works, slowest first: the oscillator's and the PLL's.

        Of equal clocks the oscillator's own is taken.
        """
        direct = PllSetting(Fraction(self.clock_hz), self.clock_hz)
        generated = (s for s in settings(self.device.family, self.clock_hz) if s.hz != direct.hz)
        feasible = [s for s in (direct, *generated) if self._carries(s)]
        return sorted(feasible, key=lambda s: s.hz)

    def fastest(self, mhz: float) -> PllSetting:
        """The fastest clock of at most `mhz`; RequestError when there is none."""
        clocks = self.clocks()
        fits = [s for s in clocks if s.hz <= mhz * MHZ]
        if not fits:
            raise RequestError(
                f"{self.name}: no clock of {mhz:g} MHz or less; the slowest that its oscillator "
                f"and a serial link of {LEAST_BAUD} baud allow is {clocks[0].mhz:g} MHz"
            )
        return fits[-1]

    def rate(self, setting: PllSetting) -> int:
        """Baud of the serial link at a clock; ValueError when that makes none exactly enough."""
        rates: Sequence[int] = [r for r in RATES if LEAST_BAUD <= r <= self.baud]
        return fastest_rate(round(setting.hz), rates)

    def _carries(self, setting: PllSetting) -> bool:
        try:
            return self.rate(setting) >= LEAST_BAUD
        except ValueError:
            return False
