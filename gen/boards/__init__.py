"""Boards that a network can be deployed to."""

from __future__ import annotations

from gen.boards.board import Board
from gen.boards.entries import ENTRIES
from gen.support.devices import BOARDS as FPGA_BOARDS
from gen.support.devices import DEVICES, device, named
from model.errors import RequestError

BOARDS = {board.name: board for board in ENTRIES}


def board(name: str) -> Board:
    """The board called `name`, in any case; RequestError lists the known ones, or those with an
    FPGA of that name."""
    key = name.strip().lower()
    if key not in BOARDS and key in DEVICES.keys() | FPGA_BOARDS.keys():
        fits = [entry.name for entry in ENTRIES if entry.device == device(key)]
        raise RequestError(f"{name}: an FPGA, not a board; boards with it: {', '.join(fits)}")
    return named("board", name, BOARDS)
