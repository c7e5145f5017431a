"""A network made ready for a board: plan, link, Verilog and, where wanted, its bitstream."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from gen.boards import boards
from gen.boards.board import Board
from gen.deploy.board_build import BoardBuild, build_for_board
from gen.deploy.board_design import BoardDesign, board_design
from gen.deploy.board_plan import LUTS, check_beside_link, plan_for_board, predicted_mhz
from gen.engine.elaborate import elaborate
from gen.host.link_protocol import INFER, frame
from gen.limits import remedies, sure_plan
from gen.plan.plan import Plan, inferences_per_s, load
from gen.support.devices import device
from gen.support.errors import DoesNotFitError, PlanError
from gen.support.promises import Promise, promises
from model.errors import ShiftaddError
from model.spec import Network

OVER_LINE = 32
"""How many times faster than the serial line an accelerator is planned, unless fps or luts are
given: more would hardly be noticed, and large designs take nextpnr many minutes to place."""


@dataclass(frozen=True)
class Deployable:
    """A planned network and its hardware for a board.

    design: the network behind its link. built: None without place and route; the clock in the
    info of `design` is then the predicted one. promises: limits that were asked for, beside what
    was measured; advice: what would meet those that were missed.
    """

    network: Network
    board: Board
    plan: Plan
    design: BoardDesign
    built: BoardBuild | None
    promises: tuple[Promise, ...] = field(default=(), kw_only=True)
    advice: tuple[str, ...] = field(default=(), kw_only=True)


def prepare(
    network: Network,
    board: Board,
    *,
    image: np.ndarray,
    place: bool,
    plan: Plan | None = None,
    fps: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    seeds: int = 1,
    cache: Path = Path("build/cache"),
    progress: Callable[[str], None] = lambda step: None,
) -> Deployable:
    """Plans `network` beside the link of `board`; `place`: and builds the board's bitstream.

    image: integers (height, width, channels), the built-in vector of the self-test. plan: one that
    is there, instead of a new one. fps, dsps, luts: see `plan_deployable`; they are held against
    what is measured. seeds: placements of each run.
    Raises PlanError, DoesNotFitError, ToolError, RequestError.
    """
    progress("plan")
    if plan:
        check_beside_link(plan, network, board)
    asked: dict[str, Any] = {"fps": fps, "dsps": dsps, "luts": luts}
    plan = plan or plan_deployable(network, board, **asked)
    progress("Verilog")
    accelerator = elaborate(network, plan)

    def design(clock_hz: int, baud: int) -> BoardDesign:
        return board_design(accelerator, network, clock_hz=clock_hz, baud=baud, image=image)

    if not place:
        clock = board.fastest(predicted_mhz(plan, board))
        made = design(round(clock.hz), board.rate(clock))
        return Deployable(network, board, plan, made, None, promises=promises(asked, None))
    built = build_for_board(board, design, seeds=seeds, cache=cache, progress=progress)
    figures = _measured(built, plan)
    held = promises(asked, figures)
    advice = remedies(held, lambda **w: plan_deployable(network, board, **asked | w), figures)
    made = design(built.clock_hz, built.baud)
    return Deployable(network, board, plan, made, built, promises=held, advice=advice)


def _measured(built: BoardBuild, plan: Plan) -> dict[str, Any]:
    """Of the whole design; its clock is one of the board's, which place and route meets."""
    cost, mhz = built.build.measured, built.clock_hz / 1e6
    rate = inferences_per_s(plan.cycles_interval, mhz)
    return {"lut": cost.lut, "dsp": cost.dsp, "fmax_mhz": mhz, "inferences_per_s": rate}


def plan_deployable(
    network: Network,
    board: Board,
    *,
    fps: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
) -> Plan:
    """A plan beside the link of `board`, for at least fps images a second of the accelerator.

    luts: of the whole design, link included. Without fps and luts it is for OVER_LINE, or as fast
    as fits where that does not. Raises PlanError, DoesNotFitError.
    """
    if fps is None and luts is None:
        try:
            rate = OVER_LINE * line_rate(board.baud, prod(network.input.shape))
            return plan_for_board(network, board, fps=rate, dsps=dsps)
        except DoesNotFitError:
            pass
    link = LUTS[board.device.family]
    if luts is not None and luts <= link:
        raise PlanError(
            f"--luts {luts}: the serial link alone takes {link} on {board.name}; ask for more"
        )

    def make(mhz: float | None, most: float | None) -> Plan:
        left = None if most is None else most - link
        return plan_for_board(network, board, fps=fps, mhz=mhz, dsps=dsps, luts=left)

    clock = partial(predicted_mhz, board=board)
    return sure_plan(make, clock, board.device.family, fps=fps, luts=luts)


def line_rate(baud: int, image_bytes: int) -> float:
    """Images a second that a line of `baud` bits a second carries."""
    return baud / 10 / len(frame(0, INFER, b"\1" * image_bytes))


def target(network: Network, name: str, plan: Path | None) -> tuple[Board, bool] | None:
    """The board that a network can be deployed to, and whether with the plan in the file `plan`.

    name: of a board, or of an FPGA, for which it is the first board with it. None where none is
    known, or the network does not fit beside its link.
    """
    known = boards()
    board = known.get(name.strip().lower())
    if board is None:
        board = next((b for b in known.values() if b.device == device(name)), None)
    if board is None:
        return None
    if plan is not None:
        with contextlib.suppress(ShiftaddError):
            check_beside_link(load(plan), network, board)
            return board, True
    with contextlib.suppress(ShiftaddError):
        plan_deployable(network, board)
        return board, False
    return None
