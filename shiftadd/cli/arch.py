"""arch"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results
from shiftadd.api.architectures import ACTIONS

TEXT = "list or show architectures, or make a file of one for a data set"
EXAMPLE = "shiftadd arch new --data wine --out wine.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=ACTIONS,
        help="list the built-in ones, show one block by block, or make a new file",
    )
    parser.add_argument(
        "name", nargs="?", help="show: a built-in one or a JSON file; new: a built-in one to take"
    )
    parser.add_argument("--data", help="as for `train`: what it is for, or how it is for these")
    parser.add_argument("--kind", help="new: of all layers but the first and the last")
    parser.add_argument("--out", type=Path, metavar="FILE", help="new: the JSON file to write")


def run(*, quiet: bool, **given: Any) -> results.ArchOutcome:
    return api.arch(**given)
