"""Boards of the user's own: entries of gen.support.board_files against their devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gen.boards.board import LEAST_BAUD, Board, Pin
from gen.boards.pll import MHZ
from gen.host.ports import USB_IDS
from gen.support.board_files import BoardEntry
from gen.support.devices import Device, own_device
from gen.support.package_pins import sites
from model.errors import RequestError

ADAPTER = "adapter"
PLLS = ("core", "pad")


@dataclass(frozen=True, kw_only=True)
class OwnBoard(Board):
    """A board that is described in full, where others ask amaranth-boards for clock and pins.

    Places of pins are sites of the package, with `!` before them where active low. io: attributes
    of all I/O buffers.
    """

    chip: Device
    oscillator_hz: int
    io: Mapping[str, str] = field(default_factory=dict)

    @property
    def device(self) -> Device:
        return self.chip

    @property
    def clock_hz(self) -> int:
        return self.oscillator_hz

    def pin(self, where: str) -> Pin:
        """The pin at a site."""
        return Pin(where.lstrip("!"), where.startswith("!"), {**self._standard, **self.io})


def own_board(name: str, entry: BoardEntry, source: str) -> OwnBoard:
    """The board `name` of `source`; RequestError, in one line, says what cannot be of its entry."""
    where = f"{source}: board {name}"
    chip = own_device(name, entry, source)
    for problem in (*_choices(entry), *_pins(entry, chip)):
        raise RequestError(f"{where}: {problem}")
    board = OwnBoard(
        name=name,
        platform="",
        clock=entry.clock.pin,
        uart=entry.serial.chip,
        baud=entry.serial.baud,
        rx=entry.serial.rx,
        tx=entry.serial.tx,
        leds=entry.leds,
        button=entry.button,
        high=entry.high,
        pll=entry.pll,
        loader=entry.load,
        loading="openFPGALoader" if entry.load else "a tool of its own",
        note=entry.note,
        chip=chip,
        oscillator_hz=round(entry.clock.mhz * MHZ),
        io=entry.io,
    )
    if not board.clocks():
        raise RequestError(
            f"{where}: no clock that the PLL of {chip.name} makes of {entry.clock.mhz:g} MHz "
            f"carries a serial line of {LEAST_BAUD} to {entry.serial.baud} baud"
        )
    return board


def _choices(entry: BoardEntry) -> Iterator[str]:
    if entry.pll not in PLLS:
        yield f"pll {entry.pll!r}: must be one of {', '.join(PLLS)}"
    chips = (ADAPTER, *USB_IDS)
    if entry.serial.chip not in chips:
        yield f"chip {entry.serial.chip!r}: must be one of {', '.join(chips)}"
    for key, value in entry.io.items():
        if not all(part.replace("_", "").replace(".", "").isalnum() for part in (key, value)):
            yield f"io {key!r} = {value!r}: letters, digits, _ and . only"
    for name, pin in (("clock", entry.clock.pin), ("rx", entry.serial.rx), ("tx", entry.serial.tx)):
        if pin.startswith("!"):
            yield f"{name} {pin!r}: only leds and the button can be active low"


def _pins(entry: BoardEntry, chip: Device) -> Iterator[str]:
    """Pins that the package does not have, and those that are given twice."""
    button = (entry.button,) if entry.button else ()
    used = (entry.clock.pin, entry.serial.rx, entry.serial.tx, *entry.leds, *button, *entry.high)
    places = [where.lstrip("!") for where in used]
    has = sites(chip.name)
    for place, count in Counter(places).items():
        if place not in has:
            yield (
                f"pin {place}: {chip.name} has none for a signal there; its pins are "
                f"{', '.join(sorted(has, key=_natural))}"
            )
        if count > 1:
            yield f"pin {place}: is given to {count} signals"


def _natural(site: str) -> tuple[str, int]:
    letters = site.rstrip("0123456789")
    return letters, int(site[len(letters) :] or 0)
