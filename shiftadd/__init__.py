"""shiftadd: hybrid multiplication, shift and add networks on small FPGAs.

Each verb of the command line is a function here, with the same name and arguments:

    import shiftadd

    made, _ = shiftadd.train("digits_hybrid", data="digits", epochs=60)
    report, met = shiftadd.compile(made["network"], board="up5k")

It returns what the command prints with `--json`, and whether its checks held. All errors that a
caller can do something about are ShiftaddError. Importing this is cheap: torch and the hardware
description are imported by the functions that need them.
"""

from __future__ import annotations

from model.errors import RequestError, ShiftaddError
from shiftadd.api import (
    Result,
    boards,
    characterise,
    compile,
    demo,
    deploy,
    report,
    search,
    simulate,
    train,
)
from shiftadd.cli import command, main

__all__ = [
    "RequestError",
    "Result",
    "ShiftaddError",
    "boards",
    "characterise",
    "command",
    "compile",
    "demo",
    "deploy",
    "main",
    "report",
    "search",
    "simulate",
    "train",
]
