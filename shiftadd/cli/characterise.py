"""characterise"""

from __future__ import annotations

import argparse
from typing import Any

from shiftadd import api, results
from shiftadd.requests import BOARD

TEXT = "measure layers on a board's family and fit the cost model to them"
EXAMPLE = "shiftadd characterise --board up5k --count 240"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", default=BOARD, help=f"board or device (default {BOARD})")
    parser.add_argument(
        "--count", type=int, default=200,
        help="layers to have measured in all; those that are there stay (default 200)",
    )  # fmt: skip


def run(*, quiet: bool, **given: Any) -> results.CharacteriseOutcome:
    return api.characterise(**given, quiet=quiet)
