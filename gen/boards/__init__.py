"""Boards that a network can be deployed to."""

from __future__ import annotations

from gen.boards.board import Board
from gen.boards.entries import ENTRIES
from gen.devices import named

BOARDS = {board.name: board for board in ENTRIES}


def board(name: str) -> Board:
    """The board called `name`, in any case; ValueError lists the known ones."""
    return named("board", name, BOARDS)
