"""The command line. One module a verb: TEXT and EXAMPLE of its help, its `arguments`, and `run`,
which calls the function of its name in `shiftadd.api`. What that returns is printed here,
or by its `show`.

A verb is added by adding its module and naming it in VERBS.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any, NoReturn, Protocol, cast

from gen.support import logs
from shiftadd.cli import options
from shiftadd.console import present
from shiftadd.errors import FAILED, INTERRUPTED, OK, WRONG, explain
from shiftadd.outcome import Outcome

VERBS = (
    "demo", "search", "train", "compile", "simulate", "deploy", "report", "characterise", "boards",
)  # fmt: skip
"""In the order in which help lists them."""


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
    """Runs one command; its exit status, see `shiftadd.errors`."""
    given = vars(parser().parse_args(argv))
    run, show, as_json = given.pop("run"), given.pop("show"), given.pop("json")
    try:
        with logs.shown(given.pop("verbose")):
            outcome = run(**given, quiet=as_json)
        if as_json:
            json.dump(outcome.as_dict(), sys.stdout, indent=1)
            print()
        else:
            show(outcome)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has had enough; rich ends in the same way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("shiftadd: interrupted; finished steps are kept", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return explain(error)
    return OK if outcome.ok else FAILED


def command() -> None:
    """Entry point: `main`, after which an interrupted process does not wait for its threads."""
    status = main()
    if status == INTERRUPTED:
        sys.stderr.flush()
        os._exit(status)  # the tools that they wait for end with this process
    raise SystemExit(status)
