"""The bitstream of a design on a board, at the fastest clock that its own place and route meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gen.boards.board import Board
from gen.boards.pins import constraints
from gen.boards.pll import PllSetting
from gen.boards.top import TOP, DesignWithPins, board_verilog
from gen.flow.build import Build, build
from gen.support.tools import ToolError
from model.errors import RequestError
from rtl.link.uart import rate_error

TRIES = 5
"""Clocks to try: a guess, the one that it measured, and steps up, down or halfway from there."""
CLIMB = 1.02
"""A faster clock is tried when it gains more than this factor."""
MARGIN = 0.97
"""Share to ask for of what a run reached, once a clock was missed: from one run to the next,
nextpnr's clock moves by a few percent either way."""


@dataclass(frozen=True)
class ClockAttempt:
    """One place and route: the clock that it was asked for and the one that it reached, in MHz."""

    mhz: float
    fmax_mhz: float

    @property
    def met(self) -> bool:
        return self.fmax_mhz >= self.mhz


@dataclass(frozen=True)
class BoardBuild:
    """A bitstream that meets its clock.

    clock: of the design. baud: of the serial link, off by `baud_error`, +0.01 being 1 % too fast.
    verilog: of everything, module TOP of gen.boards.top. tries: in their order; `build` is the
    fastest that met its clock.
    """

    board: Board
    clock: PllSetting
    verilog: str
    build: Build
    tries: tuple[ClockAttempt, ...]

    @property
    def clock_hz(self) -> int:
        return round(self.clock.hz)

    @property
    def baud(self) -> int:
        return self.board.rate(self.clock)

    @property
    def baud_error(self) -> float:
        return rate_error(self.clock_hz, self.baud)


Make = Callable[[PllSetting, bool], tuple[str, Build]]
"""Verilog and build at a clock, with or without the bitstream."""


def build_for_board(
    board: Board,
    design: Callable[[int, int], DesignWithPins],
    *,
    guess_mhz: float | None = None,
    seeds: int = 1,
    cache: Path = Path("build/cache"),
    timeout: float = 3600.0,
    progress: Callable[[str], None] = lambda step: None,
) -> BoardBuild:
    """Builds `design`, a function of clock_hz and baud, for `board`.

    The first run asks for `guess_mhz`, or what the device is usually asked for; each further one
    for the fastest clock of the board that the run before it would have met, with MARGIN once a
    clock was missed, or one halfway between what was met and what was missed. seeds: placements in
    each run. Raises ToolError when none of TRIES runs meets its clock, and when the design is
    slower than any clock of the board; ValueError when the guess is; what gen.flow.build.build
    raises.
    """

    def make(clock: PllSetting, bitstream: bool) -> tuple[str, Build]:
        text = board_verilog(board, clock, design(round(clock.hz), board.rate(clock)))
        progress(f"{clock.mhz:.2f} MHz on {board.name}")
        built = build(
            text,
            TOP,
            board.device,
            mhz=clock.mhz,
            seeds=seeds,
            bitstream=bitstream,
            pins=constraints(board),
            cache=cache,
            timeout=timeout,
            progress=lambda step: progress(f"{step}, {clock.mhz:.2f} MHz on {board.name}"),
        )
        return text, built

    clock, tries = _fastest_met(board, board.fastest(guess_mhz or board.device.mhz), make)
    text, built = make(clock, True)
    return BoardBuild(board, clock, text, built, tuple(tries))


def _fastest_met(
    board: Board, guess: PllSetting, make: Make
) -> tuple[PllSetting, list[ClockAttempt]]:
    """The fastest clock that was met, and all that was tried."""
    met: PllSetting | None = None
    clock, log = guess, Path()
    tries: list[ClockAttempt] = []
    while len(tries) < TRIES:
        _, built = make(clock, False)
        fmax, log = built.measured.fmax_mhz, built.files["log"]
        tries.append(ClockAttempt(clock.mhz, fmax))
        if tries[-1].met and (met is None or met.hz < clock.hz):
            met = clock
        clock = _next(board, met, tries, log)
        if not _worthwhile(clock, met, tries):
            break
    if met is None:
        raise _missed(board, tries, log)
    return met, tries


def _worthwhile(clock: PllSetting, met: PllSetting | None, tries: list[ClockAttempt]) -> bool:
    """Whether to try a clock: below all that failed, and well above what was met."""
    failed = min((t.mhz for t in tries if not t.met), default=float("inf"))
    return clock.mhz < failed and (met is None or clock.hz > met.hz * CLIMB)


def _next(board: Board, met: PllSetting | None, tries: list[ClockAttempt], log: Path) -> PllSetting:
    """What the last run reached, with MARGIN once one has missed, but no less than the board's
    slowest clock; or halfway to what it missed where that is no better than `met`.

    Raises ToolError when the design is slower than any clock of the board.
    """
    last = tries[-1]
    goal = last.fmax_mhz
    if not all(t.met for t in tries):
        goal = max(goal * MARGIN, min(goal, board.clocks()[0].mhz))
    if met and not last.met and goal < met.mhz * CLIMB:
        goal = (met.mhz + last.mhz) / 2
    try:
        return board.fastest(goal)
    except RequestError as error:
        tool = f"nextpnr-{board.device.family}"
        raise ToolError("timing", tool, f"{error}; use a smaller network", log) from None


def _missed(board: Board, tries: list[ClockAttempt], log: Path) -> ToolError:
    reached = ", ".join(f"{t.fmax_mhz:.2f} of {t.mhz:.2f}" for t in tries)
    reason = f"missed in {len(tries)} runs: {reached} MHz reached; try more seeds or a slower guess"
    return ToolError("timing", f"nextpnr-{board.device.family}", reason, log)
