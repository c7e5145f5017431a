"""Boards that a network can be deployed to."""

from __future__ import annotations

import difflib

from gen.boards.board import Board
from gen.boards.entries import ENTRIES

BOARDS = {board.name: board for board in ENTRIES}


def board(name: str) -> Board:
    """The board called `name`, in any case; ValueError lists the known ones."""
    key = name.strip().lower()
    if found := BOARDS.get(key):
        return found
    near = difflib.get_close_matches(key, BOARDS, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ValueError(f"unknown board {name!r}: {hint}known are {', '.join(BOARDS)}")
