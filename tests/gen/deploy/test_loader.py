"""Loading a board: the right arguments, and one line on what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gen.boards import BOARDS, board
from gen.deploy.loader import LoadError, arguments, load
from gen.support import tools
from gen.support.tools import ToolError


def test_flash_is_asked_for_once() -> None:
    assert arguments(board("ulx3s-85f"), "x.bit", flash=False) == ["-b", "ulx3s", "x.bit"]
    assert arguments(board("ulx3s-85f"), "x.bit", flash=True)[2:] == ["--write-flash", "x.bit"]
    for flash in (False, True):
        assert arguments(board("icebreaker"), "x.bin", flash=flash).count("--write-flash") == 1


@pytest.mark.parametrize("name", [n for n, b in BOARDS.items() if not b.loader])
def test_other_loaders_are_named(name: str) -> None:
    with pytest.raises(
        LoadError, match=f"{name}: openFPGALoader cannot load it; load x with [a-z]"
    ):
        arguments(board(name), "x", flash=False)


def test_missing_bitstream_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no such bitstream; build the board first"):
        load(board("ulx3s-25f"), tmp_path / "none.bit")


def test_no_board_is_one_line_with_a_hint(tmp_path: Path) -> None:
    """With the real tool: no machine that runs these tests has a ULX3S plugged in."""
    (tmp_path / "x.bit").write_bytes(bytes(100))
    with pytest.raises(LoadError, match="ulx3s-25f: openFPGALoader: ") as error:
        load(board("ulx3s-25f"), tmp_path / "x.bit", timeout=30)
    assert "\n" not in str(error.value)
    assert "apt install" in str(error.value) or "plugged in" in str(error.value)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("cannot open libftdi1.so.2", "apt install libftdi1-2"),
        ("cannot open libusb-1.0.so.0", "apt install libftdi1-2"),
        ("JTAG init failed with: unable to open ftdi device", "is the board plugged in"),
        ("Error: Failed to claim cable", "is the board plugged in"),
        ("DFU init failed with: No DFU compatible device found", "bootloader running"),
    ],
)
def test_what_the_tool_says_is_explained(
    reason: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(tool: str, words: Any, **rest: Any) -> float:
        raise ToolError("loading", tool, reason, Path("load.log"))

    monkeypatch.setattr(tools, "run", fail)
    (tmp_path / "x.bit").write_bytes(b"")
    with pytest.raises(LoadError, match=hint) as error:
        load(board("ulx3s-25f"), tmp_path / "x.bit")
    assert reason in str(error.value)
