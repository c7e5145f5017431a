"""demo"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api
from shiftadd.console import show

TEXT = "train, prove and build a hybrid network on the digits data set, in minutes"
EXAMPLE = "shiftadd demo"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("runs/demo"), help="folder for everything made"
    )
    parser.add_argument("--seed", type=int, default=0, help="of training and simulation")


def run(*, quiet: bool, **given: Any) -> api.Result:
    return api.demo(**given, quiet=quiet, on_result=api.ignore if quiet else _show)


def _show(made: Any) -> None:
    from shiftadd.demonstration import tables

    for table in tables(made):
        show(table)
