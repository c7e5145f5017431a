"""What is there, and all at once: boards, characterise, demo."""

from __future__ import annotations

from pathlib import Path

from shiftadd.console import progress
from shiftadd.requests import BOARD, PathLike, check_folder, check_numbers
from shiftadd.results import BoardsOutcome, CharacteriseOutcome, DemoOutcome


def characterise(
    *, board: str = BOARD, count: int = 200, quiet: bool = False
) -> CharacteriseOutcome:
    """Measures layers on a board's family and fits the prices of the cost model to them.

    count: layers to have measured in all; those that are there stay. Raises ShiftaddError.

    >>> made = shiftadd.characterise(board="up5k", count=1, quiet=True)
    >>> made.family, made.layers > 1
    ('ice40', True)
    """
    check_numbers(count=count)
    from gen.calibrate.characterise import characterise as run

    with progress(quiet).bar("characterise") as tick:
        made = run(board, count=count, progress=tick)
    return CharacteriseOutcome(**made | {"tools": tuple(made["tools"])})


def boards() -> BoardsOutcome:
    """The boards that a network can be deployed to, with their budgets.

    >>> "icebreaker" in [row.board for row in shiftadd.boards().boards]
    True
    """
    from gen.boards import boards as known
    from gen.boards.table import row

    return BoardsOutcome(tuple(row(board) for board in known().values()))


def demo(*, out: PathLike = Path("runs/demo"), seed: int = 0, quiet: bool = False) -> DemoOutcome:
    """Digits: train, prove, build for two boards, run on the virtual board, and search.

    out: folder for everything made. Raises ShiftaddError.

    >>> made = shiftadd.demo(quiet=True)
    >>> made.ok, list(made.as_dict())
    (True, ['train', 'compile', 'simulate', 'deploy', 'search', 'seconds'])
    """
    check_numbers(seed=seed)
    folder = check_folder(out)
    assert folder is not None
    from shiftadd.demonstration import demonstrate

    return DemoOutcome(demonstrate(out=folder, seed=seed, quiet=quiet))
