"""Loading a bitstream into a board, with openFPGALoader."""

from __future__ import annotations

from pathlib import Path

from gen.boards.board import Board
from gen.support import tools
from gen.support.tools import ToolError
from model import temporary
from model.errors import ShiftaddError

FLASH = "--write-flash"
_LIBRARIES = "install libftdi1, which brings libusb (Debian: apt install libftdi1-2)"
_HINTS = {
    "libftdi1": _LIBRARIES,
    "libusb": _LIBRARIES,
    "unable to open ftdi": "is the board plugged in, and may this user open it (udev rules)?",
    "claim cable": "is the board plugged in, and may this user open it (udev rules)?",
    "No DFU": "is the board plugged in, with its bootloader running?",
}
"""Words in what openFPGALoader says last, and the way out."""


class LoadError(ShiftaddError):
    """A board cannot be loaded; the message says what is missing."""

    exit_status = 1


def arguments(board: Board, bitstream: str, *, flash: bool) -> list[str]:
    """Arguments of openFPGALoader. flash: to keep it when the power is off.

    Raises LoadError for a board that it cannot load.
    """
    if not board.loader:
        note = f" ({board.note})" if board.note else ""
        raise LoadError(
            f"{board.name}: openFPGALoader cannot load it; load {bitstream} with "
            f"{board.loading}{note}"
        )
    keep = [FLASH] if flash and FLASH not in board.loader else []
    return [*board.loader, *keep, bitstream]


def load(board: Board, bitstream: Path, *, flash: bool = False, timeout: float = 300.0) -> float:
    """Loads `bitstream`; seconds taken. Raises LoadError, in one line, with the way out.

    timeout: seconds.
    """
    if not bitstream.is_file():
        raise LoadError(f"{bitstream}: no such bitstream; build the board first")
    options = arguments(board, bitstream.name, flash=flash)
    with temporary.folder() as folder:
        log = folder / "load.log"
        try:
            return tools.run(
                "openFPGALoader",
                options,
                step="loading",
                folder=folder,
                log=log,
                timeout=timeout,
                inputs=(bitstream,),
            )
        except ToolError as error:
            raise LoadError(_explained(board, error.reason)) from error


def _explained(board: Board, reason: str) -> str:
    hints = [hint for words, hint in _HINTS.items() if words in reason]
    tail = f": {hints[0]}" if hints else f"; {board.note}" if board.note else ""
    return f"{board.name}: openFPGALoader: {reason}{tail}"
