"""Boards of the user's own: from an entry to a bitstream, and what is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gen.boards import BOARDS, board, boards
from gen.boards.own import OwnBoard
from gen.boards.pins import constraints, ports
from gen.boards.top import TOP, board_verilog
from gen.flow.build import build
from gen.support import board_files
from gen.support.board_files import GROUP, VARIABLE, checked
from gen.support.devices import DEVICES, device
from gen.support.package_pins import sites
from model.errors import RequestError
from tests.support.board_cases import adder
from tests.support.command_line import call
from tests.support.package_sites import ICEBOX, of_tools

ENTRY = """
[my-board]
device = "ice40-up5k"
clock = { pin = "35", mhz = 12 }
serial = { rx = "6", tx = "9", chip = "FT2232H", baud = 3_000_000 }
leds = ["!11", "!37"]
button = "!10"
pll = "pad"
load = ["-b", "ice40_generic", "--write-flash"]
note = "as an iCEBreaker"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "boards.toml"
    path.write_text(ENTRY)
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_own_board_is_known_wherever_boards_are(file: Path) -> None:
    own = board("My-Board")
    assert isinstance(own, OwnBoard)
    assert own.device is device("my-board") is DEVICES["ice40-up5k"]
    assert boards().keys() == {*BOARDS, "my-board"}
    assert own.clock_hz == 12_000_000
    assert own.clocks() == board("icebreaker").clocks()
    with pytest.raises(RequestError, match="did you mean my-board"):
        board("my-bord")
    with pytest.raises(RequestError, match=r"boards with it: icebreaker, .*my-board"):
        board("up5k")


def test_own_board_is_the_same_as_the_one_that_it_copies(file: Path) -> None:
    """The same pins, constraints and Verilog as the iCEBreaker's, whose entry it repeats."""
    own, copied = board("my-board"), board("icebreaker")
    mine, its = ports(own), ports(copied)
    assert {name: (p.site, p.inverted) for name, p in mine.items()} == {
        **{name: (p.site, p.inverted) for name, p in its.items()},
        "led[0]": ("11", True),
        "led[1]": ("37", True),
    }
    clock = own.fastest(30)
    design = adder(round(clock.hz), own.rate(clock))
    assert board_verilog(own, clock, design) == board_verilog(copied, clock, design)


def test_own_board_is_built_to_a_bitstream(file: Path, tmp_path: Path) -> None:
    own = board("my-board")
    clock = own.fastest(30)
    text = board_verilog(own, clock, adder(round(clock.hz), own.rate(clock)))
    made = build(text, TOP, own.device, mhz=clock.mhz, pins=constraints(own), cache=tmp_path)
    assert made.measured.timing_met
    assert made.files["bitstream"].stat().st_size > 10_000


def test_verb_lists_own_boards(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "boards", "--json")
    rows = {row["board"]: row for row in json.loads(out)["boards"]}
    assert status == 0
    assert rows["my-board"]["device"] == "ice40-up5k"
    assert rows["my-board"]["note"] == "as an iCEBreaker"


def test_attributes_of_pins_reach_the_constraints(file: Path) -> None:
    file.write_text(
        '[five]\ndevice = "LFE5U-25F"\nclock = { pin = "G2", mhz = 25 }\nleds = ["!B2"]\n'
        'serial = { rx = "M1", tx = "L4" }\nio = { IO_TYPE = "LVCMOS25" }\n'
    )
    five = board("five")
    assert 'IOBUF PORT "clk_in" IO_TYPE=LVCMOS25;' in constraints(five)
    assert 'IOBUF PORT "rx" IO_TYPE=LVCMOS25 PULLMODE=UP;' in constraints(five)
    assert ports(five)["led"].inverted


def replaced(old: str, new: str) -> str:
    assert old in ENTRY
    return ENTRY.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (replaced("ice40-up5k", "ice40-up5"), "board my-board: unknown device 'ice40-up5': did"),
        (replaced('"9"', '"99"'), "board my-board: pin 99: ice40-up5k has none for a signal there"),
        (replaced('"9"', '"6"'), "board my-board: pin 6: is given to 2 signals"),
        (
            replaced('"9"', '"nine"'),
            r"my-board: \$\.serial\.tx: Expected str matching regex",
        ),
        (replaced("12 }", "12.5e3 }"), r"\$\.clock\.mhz: Expected float <= 1000.0 \(12500.0\)"),
        (replaced("mhz = 12", "mhz = nan"), "nan must be a number up to"),
        (replaced("mhz = 12", "mhz = 1"), "no clock that the PLL of ice40-up5k makes of 1 MHz"),
        (replaced("3_000_000", "9600"), r"\$\.serial\.baud: Expected int >= 1000000 \(9600\)"),
        (replaced("FT2232H", "FT2232"), "chip 'FT2232': must be one of adapter, FT231X"),
        (replaced('pll = "pad"', 'pll = "pads"'), "pll 'pads': must be one of core, pad"),
        (replaced("pll =", "plll ="), "unknown field 'plll'; known are device, clock"),
        (replaced('"6"', '"!6"'), "rx '!6': only leds and the button can be active low"),
        (replaced("[my-board]", "[icebreaker]"), "board icebreaker comes with shiftadd; choose"),
        (replaced("[my-board]", '["../x"]'), r"board '\.\./x': a name is of a-z, 0-9 and -"),
        (replaced("device =", "#"), "Object missing required field device"),
        ("x = 1", "Expected object, got int"),
        ("x = [", "not TOML"),
        ("x = " + "[" * 10_000, "nested deeper than 32"),
        ("x = " + "[" * 100_000, "larger than 16384 bytes"),
        (ENTRY + ENTRY, "not TOML .Cannot declare"),
        ('[x]\nio = { "A;B" = "1" }', "missing required field"),
    ],
)
def test_entries_that_cannot_be_are_refused_in_one_line(
    text: str, message: str, file: Path
) -> None:
    file.write_text(text)
    with pytest.raises(RequestError, match=message) as error:
        boards()
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_attribute_cannot_smuggle_a_line_into_the_constraints(file: Path) -> None:
    file.write_text(ENTRY + 'io = { IO_TYPE = "X;\\nLOCATE" }\n')
    with pytest.raises(RequestError, match=r"letters, digits, _ and \. only"):
        boards()


def test_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.toml"))
    assert board("icebreaker").name == "icebreaker", "others are not in need of it"
    with pytest.raises(RequestError, match=r"none\.toml: cannot be read"):
        board("my-board")


def test_a_name_twice_is_refused(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    second = file.with_name("more.toml")
    second.write_text(ENTRY)
    monkeypatch.setenv(VARIABLE, f"{file}:{second}")
    with pytest.raises(RequestError, match=rf"{second}: board my-board is in {file} already"):
        boards()


def point(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    """Installs a package, as it were, whose entry point gives `value`."""
    made = SimpleNamespace(name="other", load=lambda: value)
    monkeypatch.setattr(board_files, "_points", lambda: (made,))


def test_packages_bring_boards(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.delenv(VARIABLE)
    table = board_files.read(file)
    for value in (file, str(file), table, lambda: table):
        point(monkeypatch, value)
        assert board("my-board").device is DEVICES["ice40-up5k"]


def test_packages_that_fail_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise KeyError("two\nlines")

    for value, message in (
        (fails, "KeyError: 'two.*lines'; mend that package"),
        (3, "a int; must be a path or a mapping"),
        ({"x": {}}, r"board x: \$: Object missing required field device"),
    ):
        point(monkeypatch, value)
        with pytest.raises(RequestError, match=f"entry point {GROUP} other: {message}") as error:
            boards()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", DEVICES)
def test_sites_are_those_of_the_tools(name: str) -> None:
    if DEVICES[name].family == "ice40" and not ICEBOX.exists():
        pytest.skip("icebox, of Debian's fpga-icestorm, is not installed")
    assert sites(name) == of_tools(DEVICES[name])


@pytest.mark.parametrize("name", BOARDS)
def test_sites_have_the_pins_of_our_boards(name: str) -> None:
    one = board(name)
    assert {pin.site for pin in ports(one).values()} <= sites(one.device.name)
    assert set(one.device.pins) | {one.device.clock_pin} <= sites(one.device.name)


def test_checked_takes_what_is_parsed_already() -> None:
    assert checked({}, "x") == {}
