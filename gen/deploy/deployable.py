"""A network made ready for a board: plan, link, Verilog and, where wanted, its bitstream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from gen.boards.board import Board
from gen.deploy.board_build import BoardBuild, build_for_board
from gen.deploy.board_design import BoardDesign, board_design
from gen.deploy.board_plan import check_beside_link, plan_for_board, predicted_mhz
from gen.engine.elaborate import elaborate
from gen.host.link_protocol import INFER, frame
from gen.plan.plan import Plan
from gen.support.errors import DoesNotFitError
from model.spec import Network

OVER_LINE = 32
"""How many times faster than the serial line an accelerator is planned, unless fps or luts are
given: more would hardly be noticed, and large designs take nextpnr many minutes to place."""


@dataclass(frozen=True)
class Deployable:
    """A planned network and its hardware for a board.

    design: the network behind its link. built: None without place and route; the clock in the
    info of `design` is then the predicted one.
    """

    network: Network
    board: Board
    plan: Plan
    design: BoardDesign
    built: BoardBuild | None


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
    is there, instead of a new one. fps, dsps, luts: as for gen.planner.planner.plan; without fps
    and luts it is OVER_LINE, or as fast as fits where that does not. seeds: placements of each run.
    Raises PlanError, DoesNotFitError, ToolError, RequestError.
    """
    progress("plan")
    if plan:
        check_beside_link(plan, network, board)
    plan = plan or _plan(network, board, fps, dsps, luts)
    progress("Verilog")
    accelerator = elaborate(network, plan)

    def design(clock_hz: int, baud: int) -> BoardDesign:
        return board_design(accelerator, network, clock_hz=clock_hz, baud=baud, image=image)

    if not place:
        clock = board.fastest(predicted_mhz(plan, board))
        return Deployable(network, board, plan, design(round(clock.hz), board.rate(clock)), None)
    built = build_for_board(board, design, seeds=seeds, cache=cache, progress=progress)
    return Deployable(network, board, plan, design(built.clock_hz, built.baud), built)


def _plan(
    network: Network, board: Board, fps: float | None, dsps: int | None, luts: int | None
) -> Plan:
    if fps is None and luts is None:
        try:
            rate = OVER_LINE * line_rate(board.baud, prod(network.input.shape))
            return plan_for_board(network, board, fps=rate, dsps=dsps)
        except DoesNotFitError:
            pass
    return plan_for_board(network, board, fps=fps, dsps=dsps, luts=luts)


def line_rate(baud: int, image_bytes: int) -> float:
    """Images a second that a line of `baud` bits a second carries."""
    return baud / 10 / len(frame(0, INFER, b"\1" * image_bytes))
