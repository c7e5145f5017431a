"""demo"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results

TEXT = "train, prove and build a hybrid network on the digits data set, in minutes"
EXAMPLE = "shiftadd demo"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("runs/demo"), help="folder for everything made"
    )
    parser.add_argument("--seed", type=int, default=0, help="of training and simulation")


def run(*, quiet: bool, **given: Any) -> results.DemoOutcome:
    return api.demo(**given, quiet=quiet)
