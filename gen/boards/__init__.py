"""Boards that a network can be deployed to."""

from __future__ import annotations

from gen.boards.board import Board
from gen.boards.entries import ENTRIES
from gen.boards.own import own_board
from gen.support.board_files import board_entries
from gen.support.devices import BOARDS as FPGA_BOARDS
from gen.support.devices import DEVICES, device, named
from model.errors import RequestError

BOARDS = {board.name: board for board in ENTRIES}
"""Those that come with shiftadd."""


def boards() -> dict[str, Board]:
    """Those and the user's own, by name; RequestError where an own one cannot be."""
    own = {name: own_board(name, *entry) for name, entry in board_entries().items()}
    return {**BOARDS, **own}


def board(name: str) -> Board:
    """The board called `name`, in any case; RequestError lists the known ones, or those with an
    FPGA of that name."""
    key = name.strip().lower()
    if key in BOARDS:
        return BOARDS[key]
    if key in DEVICES.keys() | FPGA_BOARDS.keys():
        fits = [entry.name for entry in boards().values() if entry.device == device(key)]
        raise RequestError(f"{name}: an FPGA, not a board; boards with it: {', '.join(fits)}")
    return named("board", name, boards())
