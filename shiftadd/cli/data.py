"""data"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results

TEXT = "tell what was understood of a data set, and draw a sheet of examples"
EXAMPLE = "shiftadd data digits --out digits.png"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", help="a built-in data set by name, or the path of files: see train")
    parser.add_argument("--out", type=Path, metavar="PNG", help="write a sheet of examples there")


def run(*, quiet: bool, **given: Any) -> results.DataOutcome:
    return api.data(**given)
