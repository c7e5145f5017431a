"""shiftadd: hybrid multiplication, shift and add networks on small FPGAs.

Each verb of the command line is a function here, with the same name and arguments:

    import shiftadd

    made = shiftadd.train("digits_hybrid", data="digits", epochs=60)
    built = shiftadd.compile(made.network, board="up5k")

It returns a typed result, an Outcome: `ok` says whether its checks held, `as_dict()` is what the
command prints with `--json`, and a notebook shows it as a table. All errors that a caller can do
something about are ShiftaddError. Importing this is cheap: torch and the hardware description are
imported by the functions that need them, and the types of `TYPES` when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shiftadd.rooms import check_rooms

check_rooms()

from model.errors import RequestError, ShiftaddError
from shiftadd.api import (
    boards,
    characterise,
    compile,
    data,
    demo,
    deploy,
    report,
    search,
    simulate,
    train,
)
from shiftadd.cli import command, main
from shiftadd.results import (
    BoardsOutcome,
    CharacteriseOutcome,
    CompileOutcome,
    DataOutcome,
    DemoOutcome,
    DeployOutcome,
    Outcome,
    ReportOutcome,
    SearchOutcome,
    SimulateOutcome,
    TrainOutcome,
)

if TYPE_CHECKING:
    from gen.plan.plan import Plan
    from model.arch import Architecture, Block
    from model.data import Dataset
    from model.recipe import Recipe
    from model.spec import Network

TYPES = {
    "Architecture": "model.arch", "Block": "model.arch", "Dataset": "model.data",
    "Network": "model.spec", "Plan": "gen.plan.plan", "Recipe": "model.train",
}  # fmt: skip
"""Types that the functions take, by the module that is imported for them."""

__all__ = [
    "Architecture",
    "Block",
    "BoardsOutcome",
    "CharacteriseOutcome",
    "CompileOutcome",
    "DataOutcome",
    "Dataset",
    "DemoOutcome",
    "DeployOutcome",
    "Network",
    "Outcome",
    "Plan",
    "Recipe",
    "ReportOutcome",
    "RequestError",
    "SearchOutcome",
    "ShiftaddError",
    "SimulateOutcome",
    "TrainOutcome",
    "boards",
    "characterise",
    "command",
    "compile",
    "data",
    "demo",
    "deploy",
    "main",
    "report",
    "search",
    "simulate",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in TYPES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(TYPES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *TYPES})
