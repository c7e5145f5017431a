"""Options that several verbs share."""

from __future__ import annotations

import argparse


def common(parser: argparse.ArgumentParser) -> None:
    """What every verb takes, last in its help."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, and no progress"
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="log on stderr each tool that is run, where its log lies, and what was built before",
    )


def tools(parser: argparse.ArgumentParser) -> None:
    """Where yosys, nextpnr and the packers come from."""
    parser.add_argument(
        "--tools",
        default="pip",
        help="pip, or native: yosys, nextpnr and the packers that are on PATH, which are faster",
    )


def device(parser: argparse._ActionsContainer) -> None:
    """Where networks are trained."""
    parser.add_argument(
        "--device",
        default="auto",
        help="what trains and scores networks: cpu, cuda, or auto (default): a GPU where there is "
        "one. What is exported is the same integers on both",
    )


def limits(parser: argparse.ArgumentParser) -> None:
    """What planning and placing may be told."""
    tools(parser)
    parser.add_argument(
        "--fps",
        type=float,
        help="least area at so many images a second, instead of the fastest that fits; this and "
        "the next two are held against what is measured: exit status 1 where one is missed",
    )
    parser.add_argument("--dsps", type=int, help="take at most so many hardware multipliers")
    parser.add_argument("--luts", type=int, help="take at most so many LUTs")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        help="placements to try, two at a time; the fastest is kept, the spread of the clock said",
    )
