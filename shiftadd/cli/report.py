"""report"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results

TEXT = "rebuild the page of a search from its files, or compare several searches on one"
EXAMPLE = "shiftadd report runs/hybrid runs/mult runs/shift --out comparison.html"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="folder of a search; others follow it"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page; default report.html in RUN, or comparison.html beside the first of several",
    )


def run(*, quiet: bool, **given: Any) -> results.ReportOutcome:
    return api.report(**given)
