"""boards"""

from __future__ import annotations

import argparse

from shiftadd import api, results

TEXT = "list the boards: device, budget, clock, serial line, and how each is loaded"
EXAMPLE = "shiftadd boards --json"


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(*, quiet: bool) -> results.BoardsOutcome:
    return api.boards()
