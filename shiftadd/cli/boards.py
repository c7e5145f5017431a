"""boards"""

from __future__ import annotations

import argparse
from typing import Any

from shiftadd import api
from shiftadd.console import show

TEXT = "list the boards: device, budget, clock, serial line, and how each is loaded"
EXAMPLE = "shiftadd boards --json"


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(*, quiet: bool) -> api.Result:
    return api.boards(on_result=api.ignore if quiet else _show)


def _show(rows: Any) -> None:
    from gen.boards.table import table

    show(table(rows))
