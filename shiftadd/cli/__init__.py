"""The command line. One module a verb: TEXT and EXAMPLE of its help, its `arguments`, and `run`,
which calls the function of its name in `shiftadd.api`. What that returns is printed here,
or by its `show`.

A verb is added by adding its module and naming it in VERBS.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, NoReturn, Protocol, cast

from gen.support import interruption, logs
from shiftadd.cli import options
from shiftadd.console import present
from shiftadd.errors import FAILED, INTERRUPTED, OK, WRONG, explain
from shiftadd.outcome import Outcome
from shiftadd.outputs import outputs, printed
from shiftadd.process import command

__all__ = ["command", "main", "parser"]

VERBS = (
    "demo", "data", "arch", "search", "train", "compile", "simulate", "deploy", "report",
    "characterise", "boards",
)  # fmt: skip
"""In the order in which help lists them."""
PRINTED = frozenset({"arch", "boards", "data"})
"""Verbs that make nothing but what they print, unless `--out` names a file."""


class Verb(Protocol):
    """A module of this package. It imports nothing heavy: all of them are loaded for help."""

    TEXT: str
    EXAMPLE: str

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, *, quiet: bool, **given: Any) -> Outcome: ...


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = _Parser(
        prog="shiftadd",
        description="Hybrid multiplication, shift and add networks for small FPGAs: trained, "
        "generated, proven bit-exact and measured.",
        epilog="Start with `shiftadd demo`. Exit status: 0 done, 1 a check failed, "
        "2 the request was wrong, 70 a defect of shiftadd.",
    )
    top.add_argument("--version", action="version", version=f"shiftadd {version('shiftadd')}")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name in VERBS:
        verb = cast(Verb, import_module(f"{__name__}.{name}"))
        one = verbs.add_parser(
            name,
            help=verb.TEXT,
            description=f"{verb.TEXT[0].upper()}{verb.TEXT[1:]}.",
            epilog=f"Example: {verb.EXAMPLE}",
        )
        verb.arguments(one)
        options.common(one)
        one.set_defaults(run=verb.run, show=getattr(verb, "show", present))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status, see `shiftadd.errors`.

    >>> shiftadd.main(["data", "digits", "--out", "digits.png", "--json"])  # doctest: +ELLIPSIS
    {
     "name": "digits",
    ...
    0
    """
    with outputs():
        try:
            given = vars(parser().parse_args(argv))
        except SystemExit as end:  # help, or an error that is said
            raise SystemExit(printed(cast(int, end.code), needed=True)) from None
        verb = given["run"].__module__.rpartition(".")[2]
        needed = given["json"] or (verb in PRINTED and not given.get("out"))
        return printed(_run(given), needed=needed)


def _run(given: dict[str, Any]) -> int:
    run, show, as_json = given.pop("run"), given.pop("show"), given.pop("json")
    try:
        with logs.shown(given.pop("verbose")):
            outcome = run(**given, quiet=as_json)
        if as_json:
            json.dump(outcome.as_dict(), sys.stdout, indent=1)
            print()
        else:
            show(outcome)
    except KeyboardInterrupt:
        print(interruption.message(signal.SIGINT), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return explain(error)
    return OK if outcome.ok else FAILED
