"""compile"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results
from shiftadd.cli import options
from shiftadd.requests import BOARD

TEXT = "plan a network on a board, write its Verilog and bitstream, and measure it"
EXAMPLE = "shiftadd compile runs/demo/network --board up5k"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("net", type=Path, help="folder of a trained network")
    parser.add_argument(
        "--board",
        default=BOARD,
        help=f"board or device (default {BOARD}); an unknown one lists all",
    )
    parser.add_argument("--out", type=Path, help="folder for plan, Verilog, bitstream and report")
    parser.add_argument(
        "--mhz", type=float, help="clock to ask of place and route, and to plan --fps with"
    )
    options.limits(parser)
    parser.add_argument(
        "--port", type=int, default=8, metavar="BITS",
        help="most bits of a word at the AXI-Stream ports, in whole bytes (default 8)",
    )  # fmt: skip
    parser.add_argument(
        "--plan", type=Path, metavar="FILE", help="build exactly this plan.json, and plan nothing"
    )
    parser.add_argument(
        "--top", metavar="NAME", default="shiftadd_top", help="name of the Verilog module"
    )
    parser.add_argument(
        "--axi-names", action="store_true", help="clock and reset are aclk and aresetn (active low)"
    )
    parser.add_argument(
        "--frame-guard",
        action="store_true",
        help="s_axis_tlast ends a frame: an image that it cuts short is dropped and counted",
    )


def run(*, quiet: bool, **given: Any) -> results.CompileOutcome:
    return api.compile(**given, quiet=quiet)
