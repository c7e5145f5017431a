"""The commands on a report's page: each works when it is pasted, or another one stands there with
the reason."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.boards import boards
from gen.boards.board import Board
from gen.deploy.board_plan import check_beside_link
from gen.deploy.deployable import plan_deployable
from gen.plan import plan as plans
from gen.support.errors import DoesNotFitError
from gen.support.promises import RULES, requested
from model import store
from model.errors import ShiftaddError
from search.results.results import Finalist, SearchRun


@dataclass(frozen=True)
class Command:
    """A command line, as the words of a shell; or, without any, the reason why there is none. note:
    what has to be said of it."""

    words: tuple[str, ...]
    note: str = ""

    @property
    def quoted(self) -> list[str]:
        return [shlex.quote(word) for word in self.words]

    @property
    def line(self) -> str:
        return shlex.join(self.words)


def of_finalist(run: SearchRun, finalist: Finalist) -> list[Command]:
    """How to build, to prove and to deploy it; none where there is no Network to start from."""
    folder = finalist.folder
    if not (folder / "network").is_dir():
        return []
    place = f"{run.place}/finalists/{folder.name}"
    board = str(run.request.get("board") or run.device.get("name"))
    net = f"{place}/network"
    build = ("shiftadd", "compile", net, "--board", board)
    if not (folder / "plan.json").is_file():
        return [Command(build)]
    out = f"build/{finalist.key}"
    proof = ("shiftadd", "simulate", net, "--board", board, "--build", place, "--level", "all")
    return [
        Command((*build, "--plan", f"{place}/plan.json", "--out", out)),
        Command(proof),
        _deploy(run, folder, place),
    ]


def _deploy(run: SearchRun, folder: Path, place: str) -> Command:
    """On the virtual board: the plan that was measured, where the board's serial link leaves room
    for it, or else another plan, where that has room."""
    board = _deployable(run)
    if board is None:
        return Command((), f"No board with {run.device.get('name')} is known to deploy it to.")
    deploy = ("shiftadd", "deploy", f"{place}/network", "--board", board.name)
    end = ("--virtual", "--faults", "10000")
    try:
        network, plan = store.load(folder / "network"), plans.load(folder / "plan.json")
        check_beside_link(plan, network, board)
        return Command((*deploy, "--build", place, *end))
    except DoesNotFitError as error:
        why = str(error).partition(";")[0]
    except ShiftaddError as error:
        return Command((), f"It cannot be deployed: {error}")
    try:
        plan_deployable(network, board)
    except ShiftaddError as error:
        return Command((), f"It cannot be deployed to {board.name}: {error}")
    return Command((*deploy, *end), f"Planned anew: {why}.")


def _deployable(run: SearchRun) -> Board | None:
    """The board of the request; or where that is a bare FPGA, the first board with it."""
    known = boards()
    asked, device = str(run.request.get("board")), run.device.get("name")
    if asked in known:
        return known[asked]
    return next((board for board in known.values() if board.device.name == device), None)


def going_on(run: SearchRun) -> Command:
    """The search of `run` again, to be gone on with where it was."""
    asked = run.request
    words = ["shiftadd", "search"]
    for name in ("data", "board", "sampler", "sharing", "seed"):
        if asked.get(name) is not None:
            words += [f"--{name}", str(asked[name])]
    if space := run.space.get("file") or asked.get("space"):
        words += ["--space", str(space)]
    if asked.get("kinds"):
        words += ["--kinds", ",".join(asked["kinds"])]
    if supernet := run.supernet.get("folder"):
        words += ["--supernet", str(supernet)]
    words += _limits(asked.get("limits") or {})
    goal = asked.get("goal") or {}
    for option, value in (
        ("--goal", goal.get("name")), ("--min-accuracy", goal.get("min_accuracy")),
        ("--time", asked.get("time")), ("--device", asked.get("compute")),
    ):  # fmt: skip
        words += [] if value is None else [option, str(value)]
    for name, value in (asked.get("budget") or {}).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return Command((*words, "--out", run.place, "--resume"))


def _limits(asked: Mapping[str, Any]) -> list[str]:
    given = {name: value for name, value in asked.items() if value is not None and name in RULES}
    return [word for name, value in given.items() for word in requested(name, value).split()]
