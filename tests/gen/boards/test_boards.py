"""Boards: PLL settings within the vendors' limits, pins that are there, clocks that are met."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gen.boards import BOARDS, board
from gen.boards.pins import constraints, ports
from gen.boards.pll import LIMITS, MHZ, PllSetting, settings
from gen.support.devices import BOARDS as DEVICE_OF
from gen.support.devices import FamilyName
from rtl.link.uart import MAX_ERROR, rate_error

REFERENCES: list[tuple[FamilyName, int]] = [
    *(("ecp5", mhz) for mhz in (10, 12, 25, 48, 100)),
    *(("ice40", mhz) for mhz in (12, 16, 48, 100)),
    *(("gowin", mhz) for mhz in (24, 27, 50)),
]


def made(setting: PllSetting, family: FamilyName) -> tuple[Fraction, Fraction, Fraction]:
    """Detector, oscillator and output of the dividers, by the equations of the data sheets."""
    d = dict(setting.dividers)
    if family == "ecp5":
        detector = Fraction(setting.reference, d["CLKI_DIV"])
        oscillator = detector * d["CLKFB_DIV"] * d["CLKOP_DIV"]
        return detector, oscillator, oscillator / d["CLKOS_DIV"]
    if family == "ice40":
        detector = Fraction(setting.reference, d["DIVR"] + 1)
        oscillator = detector * (d["DIVF"] + 1)
        return detector, oscillator, oscillator / 2 ** d["DIVQ"]
    detector = Fraction(setting.reference, d["IDIV"])
    return detector, detector * d["FBDIV"] * d["ODIV"], detector * d["FBDIV"]


WIDTHS = {
    **{f"CLK{x}_DIV": range(1, 129) for x in ("I", "OP", "OS")},
    "CLKFB_DIV": range(1, 81),
    "DIVR": range(16),
    "DIVF": range(128),
    "DIVQ": range(1, 7),
    "IDIV": range(1, 65),
    "FBDIV": range(1, 65),
    "ODIV": (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128),
}


@pytest.mark.parametrize(("family", "mhz"), REFERENCES)
def test_no_setting_breaks_a_limit(family: FamilyName, mhz: int) -> None:
    limits, choices = LIMITS[family], settings(family, mhz * MHZ)
    assert len(choices) > 50
    assert [s.hz for s in choices] == sorted({s.hz for s in choices})
    for one in choices:
        assert (one.detector, one.oscillator, one.hz) == made(one, family)
        assert one.detector in limits.detector
        assert one.oscillator in limits.oscillator
        assert one.hz in limits.output
        assert all(value in WIDTHS[name] for name, value in one.dividers)


@pytest.mark.parametrize(
    ("family", "reference", "mhz", "dividers"),
    [  # icepll -i 12 -o 39.75, -i 12 -o 51.75, -i 16 -o 70; gowin_pll -i 27 -o 108
        ("ice40", 12, 39.75, {"DIVR": 0, "DIVF": 52, "DIVQ": 4}),
        ("ice40", 12, 51.75, {"DIVR": 0, "DIVF": 68, "DIVQ": 4}),
        ("ice40", 16, 70, {"DIVR": 0, "DIVF": 34, "DIVQ": 3}),
        ("gowin", 27, 108, {"IDIV": 1, "FBDIV": 4}),
    ],
)
def test_settings_are_those_of_the_open_tools(
    family: FamilyName, reference: int, mhz: float, dividers: dict[str, int]
) -> None:
    (one,) = (s for s in settings(family, reference * MHZ) if s.hz == Fraction(mhz) * MHZ)
    assert dividers.items() <= dict(one.dividers).items()


@pytest.mark.parametrize("family", LIMITS)
def test_nothing_is_made_of_a_reference_out_of_range(family: FamilyName) -> None:
    assert not settings(family, LIMITS[family].reference.low - 1)
    assert not settings(family, LIMITS[family].reference.high + 1)


@pytest.mark.parametrize("name", BOARDS)
def test_fastest_clock_is_not_above_the_limit_and_no_other_is_nearer(name: str) -> None:
    one = board(name)
    clocks = one.clocks()
    for mhz in (20.0, 33.3, 50.0, 71.9, 100.0, 1000.0):
        fastest = one.fastest(mhz)
        assert fastest.hz <= mhz * MHZ
        assert not [s for s in clocks if fastest.hz < s.hz <= mhz * MHZ]
    with pytest.raises(ValueError, match=f"{name}: no clock of 1 MHz or less; the slowest"):
        one.fastest(1)


@pytest.mark.parametrize("name", BOARDS)
def test_every_clock_carries_a_serial_link_of_1_mbaud(name: str) -> None:
    one = board(name)
    for setting in one.clocks():
        rate = one.rate(setting)
        assert 1_000_000 <= rate <= one.baud
        assert abs(rate_error(round(setting.hz), rate)) <= MAX_ERROR


PACKAGES = {"BG381": "CABGA381", "BG256": "CABGA256", "MG285": "CSFBGA285"}


@pytest.mark.parametrize("name", BOARDS)
def test_device_is_that_of_the_platform(name: str) -> None:
    one = board(name)
    platform, part = one.definition, one.device.part
    assert DEVICE_OF[name] == one.device.name
    if one.device.family == "gowin":
        assert part[1] == platform.part
    elif one.device.family == "ice40":
        assert part == (f"--{platform.device[5:].lower()}", "--package", platform.package.lower())
    else:
        size = platform.device.removeprefix("LFE5U-").removesuffix("F")
        package = PACKAGES[platform.package]
        assert part == (f"--{size}k", "--package", package, "--speed", platform.speed)
    assert one.pin(one.clock).site == one.device.clock_pin or one.device.name == "ice40-up5k"


@pytest.mark.parametrize("name", BOARDS)
def test_every_port_has_a_pin_of_its_own(name: str) -> None:
    board_ports = ports(board(name))
    sites = [pin.site for pin in board_ports.values()]
    assert len(set(sites)) == len(sites)
    assert {"clk_in", "rx", "tx"} <= set(board_ports)
    text = constraints(board(name))
    assert all(f'"{port}"' in text or f" {port} " in text for port in board_ports)


def test_pins_are_those_of_the_platform() -> None:
    board_ports = ports(board("icebreaker"))
    assert {name: pin.site for name, pin in board_ports.items()} == {
        "clk_in": "35",
        "rx": "6",
        "tx": "9",
        "led[0]": "37",
        "led[1]": "11",
        "button": "10",
    }
    assert board_ports["button"].inverted
    text = constraints(board("icebreaker"))
    assert "set_io -pullup yes rx 6\n" in text
    assert text.endswith("set_frequency clk_in 12\n")


def test_unknown_board_is_one_line_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown board 'icebraker': did you mean icebreaker") as e:
        board("icebraker")
    assert "\n" not in str(e.value)
    assert all(name in str(e.value) for name in BOARDS)
    assert board(" IceBreaker") is BOARDS["icebreaker"]
