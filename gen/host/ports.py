"""The serial port of a board, by what USB says. Needs pyserial alone: see gen.deploy.bundle."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from serial.tools import list_ports

from gen.host.connection import TIMEOUT
from gen.host.frame_line import FrameLine
from gen.host.link_protocol import DeviceError

USB_IDS = {
    "FT231X": (0x0403, 0x6015),
    "FT2232H": (0x0403, 0x6010),
    "FT232H": (0x0403, 0x6014),
    "BL702": (0x0403, 0x6010),  # of a Tang Nano: it passes for an FT2232H
    "iCELink": (0x1D50, 0x602B),
}
"""Vendor and product of the chips on the other side of boards' serial lines."""


def ready(board: str, uart: str, baud: int, port: str | None = None) -> str:
    """`port`, or else that of `find`, after opening it once; DeviceError if it cannot be opened."""
    line = port or find(board, uart)
    FrameLine(line, baud, TIMEOUT).close()
    return line


def find(board: str, uart: str) -> str:
    """The port whose USB chip is a `uart`; of two on one chip the last: the first loads the FPGA.

    Raises DeviceError when there is none, or more than one chip.
    """
    if uart not in USB_IDS:
        raise DeviceError(
            f"{board}: its serial line has no USB chip of its own; name the adapter's port with "
            f"--port: {_listed(list_ports.comports())}"
        )
    fits = [port for port in list_ports.comports() if (port.vid, port.pid) == USB_IDS[uart]]
    chips = [list(ports) for _, ports in groupby(sorted(fits, key=_place), key=_chip)]
    if len(chips) != 1:
        many = f"{len(chips)} chips" if chips else "no serial port"
        raise DeviceError(
            f"{board}: {many} with the USB ids of its {uart}; plug the board in, or name its port "
            f"with --port: {_listed(fits or list_ports.comports())}"
        )
    return str(chips[0][-1].device)


def _place(port: Any) -> tuple[str, str]:
    return _chip(port), str(port.location or port.device)


def _chip(port: Any) -> str:
    """Where a chip is plugged in: `1-2` of the location 1-2:1.1, whose end is its interface."""
    return str(port.location or port.device).partition(":")[0]


def _listed(ports: Any) -> str:
    names = ", ".join(sorted(port.device for port in ports))
    return f"there are {names}" if names else "there are none"
