"""shiftadd: hybrid multiplication, shift and add networks on small FPGAs.

Each verb of the command line is a function here, with the same name and arguments:

    import shiftadd

    made = shiftadd.train("digits_hybrid", data="digits", epochs=60)
    built = shiftadd.compile(made.network, board="up5k")

It returns a typed result, an Outcome: `ok` says whether its checks held, `as_dict()` is what the
command prints with `--json`, and a notebook shows it as a table. All errors that a caller can do
something about are ShiftaddError. Importing this is cheap: each name is imported when it is asked
for, torch and the hardware description by the functions that need them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shiftadd.rooms import check_rooms

check_rooms()

if TYPE_CHECKING:
    from gen.plan.plan import Plan
    from model.arch import Architecture, Block
    from model.data import Dataset
    from model.errors import RequestError, ShiftaddError
    from model.recipe import Recipe
    from model.spec import Network
    from shiftadd.api import (
        arch,
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
    from shiftadd.cli import command as command
    from shiftadd.cli import main
    from shiftadd.results import (
        ArchOutcome,
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

_PLACES = {
    "gen.plan.plan": ("Plan",),
    "model.arch": ("Architecture", "Block"),
    "model.data": ("Dataset",),
    "model.errors": ("RequestError", "ShiftaddError"),
    "model.recipe": ("Recipe",),
    "model.spec": ("Network",),
    "shiftadd.api": (
        "arch", "boards", "characterise", "compile", "data", "demo", "deploy", "report", "search",
        "simulate", "train",
    ),
    "shiftadd.cli": ("command", "main"),
    "shiftadd.results": (
        "ArchOutcome", "BoardsOutcome", "CharacteriseOutcome", "CompileOutcome", "DataOutcome",
        "DemoOutcome", "DeployOutcome", "Outcome", "ReportOutcome", "SearchOutcome",
        "SimulateOutcome", "TrainOutcome",
    ),
}  # fmt: skip
"""What is imported when it is asked for, by its module: a notebook waits for nothing that it does
not use, and the command is soon ready for a signal."""

__all__ = [
    "ArchOutcome",
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
    "arch",
    "boards",
    "characterise",
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
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
