"""search"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shiftadd import api, results
from shiftadd.cli import options
from shiftadd.requests import BOARD

TEXT = "search a Pareto front of networks for a data set, measured on a board"
EXAMPLE = "shiftadd search --data digits --board up5k"
BUDGET = {
    "population": "networks of a generation, each scored at every share of the board",
    "generations": "generations of a round",
    "trained": "networks that are trained in a round, a little at first",
    "finalists": "points of the trained networks that are built in a round",
    "rounds": "rounds at most: each refits the cost model to what the one before it measured",
    "probes": "networks trained first, to learn what inherited accuracies are worth",
    "epochs": "of each of these and of each probe, from inherited weights",
    "rungs": "a third of them are trained 2.6 times as long, and again; 1: all alike",
    "teacher_epochs": "of the network that all of them are distilled from",
    "supernet_epochs": "of the supernet, unless it is there",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, help="as for `train`")
    parser.add_argument("--board", default=BOARD, help=f"board or device (default {BOARD})")
    parser.add_argument("--out", type=Path, help="run folder; default runs/DATA-BOARD-SEED")
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted search in --out"
    )
    parser.add_argument(
        "--force", action="store_true", help="remove the search that is in --out, and begin again"
    )
    options.tools(parser)
    parser.add_argument("--seed", type=int, default=0, help="of supernet, search and training")
    limits = parser.add_argument_group("limits, for every network of the front")
    limits.add_argument("--max-latency", type=microseconds, metavar="TIME", help="as 100us, 2ms")
    limits.add_argument("--max-luts", type=int)
    limits.add_argument("--dsps", type=int, help="hardware multipliers at most")
    limits.add_argument("--fps", type=float, help="images a second at least")
    wanted = parser.add_argument_group("what the search is for")
    wanted.add_argument(
        "--goal",
        default="front",
        help="front (default), accuracy: the best that fits, or smallest: the fewest LUTs that "
        "reach --min-accuracy",
    )
    wanted.add_argument(
        "--min-accuracy", type=float, metavar="A", help="below it no network counts, as 0.9"
    )
    what = parser.add_argument_group("what is searched, and how")
    what.add_argument("--space", help="name or TOML file; default the built-in one for such data")
    what.add_argument(
        "--kinds", type=_words, default=(), help="only layers of these, as mult,shift; default all"
    )
    what.add_argument("--sampler", default="evolution", help="evolution, or random")
    what.add_argument(
        "--sharing", default="heterogeneous", help="of weights: heterogeneous, naive or none"
    )
    what.add_argument(
        "--supernet", type=Path, metavar="FOLDER", help="default: kept for every board in build/"
    )
    what.add_argument(
        "--time", type=seconds, metavar="TIME", help="that the search may take, as 60m or 2h, once "
        "its supernet is there: the budget is planned for it, and kept to"
    )  # fmt: skip
    spent = parser.add_argument_group("budget; the defaults suit the space")
    for name, text in BUDGET.items():
        spent.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=text)
    options.device(spent)
    spent.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes on this machine; default 2, or one for each GPU",
    )
    spent.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster (tcp://…) to use instead"
    )


def run(*, quiet: bool, **given: Any) -> results.SearchOutcome:
    return api.search(**given, quiet=quiet)


def microseconds(text: str) -> float:
    """100, 100us, 0.1ms or 1e-4s as microseconds."""
    number = text.strip().lower().replace("µs", "us")
    return _time(number, {"us": 1.0, "ms": 1e3, "s": 1e6, "": 1.0}, text, "100us or 2ms")


def seconds(text: str) -> float:
    """3600, 3600s, 60m, 60min or 1h as seconds."""
    units = {"min": 60.0, "m": 60.0, "h": 3600.0, "s": 1.0, "": 1.0}
    return _time(text.strip().lower(), units, text, "60m or 2h")


def _time(number: str, units: Mapping[str, float], text: str, such: str) -> float:
    """A number with one of `units`, of which none is the end of one behind it."""
    for unit, factor in units.items():
        if number.endswith(unit):
            try:
                return float(number.removesuffix(unit)) * factor
            except ValueError:
                break
    raise argparse.ArgumentTypeError(f"{text!r} must be a time, as {such}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
