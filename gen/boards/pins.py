"""Pin constraints of a board in the format of its family."""

from __future__ import annotations

from collections.abc import Mapping

from gen.boards.board import Board, Pin
from gen.boards.pll import MHZ

CLOCK, RESET = "clk_in", "button"


def ports(board: Board) -> dict[str, Pin]:
    """Pins of the top module's ports, by port or bit of a bus as yosys names them."""
    pins = {CLOCK: board.pin(board.clock), "rx": pulled_up(board, board.pin(board.rx))}
    pins["tx"] = board.pin(board.tx)
    for bus, places in (("led", board.leds), ("high", board.high)):
        for i, where in enumerate(places):
            pins[bus if len(places) == 1 else f"{bus}[{i}]"] = board.pin(where)
    if board.button:
        pin = board.pin(board.button)
        pins[RESET] = pulled_up(board, pin) if pin.inverted else pin
    return pins


def pulled_up(board: Board, pin: Pin) -> Pin:
    """The pin with a pull-up, so that an open serial line or button reads 1."""
    pull_up = {"ecp5": {"PULLMODE": "UP"}, "ice40": {"PULLUP": "1"}, "gowin": {"PULL_MODE": "UP"}}
    if str(pin.attributes.get("IO_TYPE", "")).startswith("SSTL"):  # has no pull-up
        return pin
    return Pin(pin.site, pin.inverted, {**pin.attributes, **pull_up[board.device.family]})


def constraints(board: Board) -> str:
    """The pins of all ports, for nextpnr: .lpf, .pcf or .cst.

    And the oscillator's frequency, from which nextpnr works out by itself what the PLL makes and
    constrains that; not for Gowin, where only --freq does.
    """
    line = {"ecp5": _lpf, "ice40": _pcf, "gowin": _cst}[board.device.family]
    pins = "".join(line(port, pin.site, pin.attributes) for port, pin in ports(board).items())
    clock = {
        "ecp5": 'FREQUENCY PORT "{}" {:g} MHZ;\n',
        "ice40": "set_frequency {} {:g}\n",
        "gowin": "",
    }[board.device.family]
    return pins + clock.format(CLOCK, board.clock_hz / MHZ)


def _lpf(port: str, site: str, attributes: Mapping[str, str]) -> str:
    words = " ".join(f"{key}={value}" for key, value in attributes.items())
    return f'LOCATE COMP "{port}" SITE "{site}";\nIOBUF PORT "{port}" {words};\n'


def _pcf(port: str, site: str, attributes: Mapping[str, str]) -> str:
    pull = "-pullup yes " if attributes.get("PULLUP") == "1" else ""
    return f"set_io {pull}{port} {site}\n"


def _cst(port: str, site: str, attributes: Mapping[str, str]) -> str:
    words = " ".join(f"{key}={value}" for key, value in attributes.items())
    return f'IO_LOC "{port}" {site};\nIO_PORT "{port}" {words};\n'
