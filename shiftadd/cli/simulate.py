"""simulate"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results
from shiftadd.requests import BOARD

TEXT = "prove the hardware equal to the golden model, image by image"
EXAMPLE = "shiftadd simulate runs/demo/network --board up5k --images 100"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("net", type=Path, help="folder of a trained network")
    parser.add_argument("--board", default=BOARD, help="board to plan for")
    parser.add_argument(
        "--build", type=Path, help="folder that `compile` wrote: simulate exactly that plan"
    )
    parser.add_argument(
        "--level",
        default="rtl",
        help="rtl, netlist (synthesised), routed (ECP5), bitstream (read back; but for ECP5 "
        "planned without multipliers), or all of these that can be had",
    )
    parser.add_argument("--data", help="data set; default the one that the network was trained on")
    parser.add_argument("--images", type=int, help="how many test images; default all")
    parser.add_argument("--simulator", choices=("verilator", "icarus"), default="verilator")
    parser.add_argument("--seed", type=int, default=0, help="of the random stalls")
    parser.add_argument(
        "--no-stalls", dest="stalls", action="store_false", help="never stall the streams"
    )
    parser.add_argument(
        "--waves",
        type=Path,
        metavar="FILE",
        help="write waveforms (.fst, .vcd or .saif) of the failing images, or of the first",
    )
    parser.add_argument(
        "--energy",
        action="store_true",
        help="also count the toggles of the netlist, and what they take: with --level netlist",
    )


def run(*, quiet: bool, **given: Any) -> results.SimulateOutcome:
    return api.simulate(**given, quiet=quiet, on_result=None if quiet else _said)


def show(outcome: results.SimulateOutcome) -> None:
    """What stands below the verdicts, which were printed when they came."""
    for line in outcome.closing():
        print(line)


def _said(result: Any) -> None:
    from shiftadd.results.hardware import verdict

    print(verdict(result), flush=True)
