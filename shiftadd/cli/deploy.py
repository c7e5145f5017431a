"""deploy"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results
from shiftadd.cli import options
from shiftadd.requests import BOARD

TEXT = "build a network for a board, load that, and hold its answers to the golden model"
EXAMPLE = "shiftadd deploy runs/demo/network --board icebreaker --virtual"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("net", type=Path, help="folder of a trained network")
    parser.add_argument("--board", help=f"see `shiftadd boards` (default {BOARD})")
    parser.add_argument("--port", help="serial port; default that of the board's USB chip")
    parser.add_argument("--data", help="data set; default the one that the network was trained on")
    parser.add_argument("--images", type=int, help="how many test images; default all")
    parser.add_argument(
        "--virtual",
        action="store_true",
        help="no hardware: the board's Verilog in Verilator, without place and route unless "
        "--bundle was built",
    )
    parser.add_argument("--flash", action="store_true", help="keep it when the power is off")
    parser.add_argument(
        "--faults",
        type=int,
        metavar="N",
        help="with --virtual: then N malformed frames between good requests, a cable that is "
        "pulled, a second program, damaged files, all counted",
    )
    parser.add_argument(
        "--no-load", dest="load", action="store_false", help="make the bundle, and stop there"
    )
    parser.add_argument(
        "--out", type=Path, help="the bundle lands in its folder deploy/ (deploy-virtual/)"
    )
    parser.add_argument(
        "--bundle", type=Path, metavar="FOLDER", help="deploy what is there, and build nothing"
    )
    parser.add_argument(
        "--build", type=Path, help="folder that `compile` wrote: deploy exactly that plan"
    )
    options.limits(parser)


def run(*, quiet: bool, **given: Any) -> results.DeployOutcome:
    return api.deploy(**given, quiet=quiet)
