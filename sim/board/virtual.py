"""The virtual board: the Verilog of a board in Verilator, behind a pseudo-terminal like its port.

with VirtualBoard(design) as board, BoardConnection.open(board.port, design.info.baud) as device:
    device.predict(images)
"""

from __future__ import annotations

import logging
import shlex
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from gen.support.tools import finished, process
from model import temporary
from sim.bench.installed import missing, verilator_first, version
from sim.bench.simulators import BUILD, SimulatorError, digest, failure_message, publish

logger = logging.getLogger("shiftadd.simulators")
PATIENCE = 10.0
"""Seconds without an answer after which a host should repeat a request: a slow network takes a
second an image, and a busy machine may stop the simulation for another."""
MAIN = Path(__file__).with_name("virtual.cpp")
ARGS = (
    "-DSHIFTADD_RUN",
    "--cc",
    "--exe",
    "--build",
    "-O3",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--prefix",
    "Vboard",
)


class ClockAndRate(Protocol):
    """clock_hz: cycles a second. baud: bits a second of the serial line."""

    @property
    def clock_hz(self) -> int: ...
    @property
    def baud(self) -> int: ...


class VirtualDesign(Protocol):
    """A board's Verilog: module `top` with ports clk, rst, rx, tx, led_busy and led_error."""

    @property
    def verilog(self) -> str: ...
    @property
    def top(self) -> str: ...
    @property
    def info(self) -> ClockAndRate: ...


def build(design: VirtualDesign, *, root: Path = BUILD) -> Path:
    """The program that simulates the board, compiled unless it is there. Raises SimulatorError."""
    if reason := missing("verilator"):
        raise SimulatorError(reason)
    made_of = (design.verilog, design.top, MAIN.read_text(), version("verilator"), ARGS)
    folder = root.absolute() / f"virtual-{digest(*made_of)}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary.folder("building", folder.parent) as scratch:
            publish(_compile(design, scratch), folder)
    return folder / "board"


def _compile(design: VirtualDesign, scratch: Path) -> Path:
    """A folder in `scratch` with the program and nothing else."""
    source, log, model = scratch / "board.v", scratch / "build.log", scratch / "model"
    source.write_text(design.verilog)
    model.mkdir()
    names = ("--top-module", design.top, "--Mdir", "work", "-o", str(model / "board"))
    command = ["verilator", *ARGS, *names, source.name, str(MAIN)]
    logger.info("virtual board: %s; log: %s", shlex.join(command), log)
    # ends, with all that it starts, when this process is interrupted
    with log.open("w") as out, verilator_first(), process(command, scratch, out.fileno()) as child:
        status = finished(child)
    if status:
        raise SimulatorError(failure_message("verilator", "cannot build", log))
    return model


class VirtualBoard:
    """A running board. port: path that a host opens; the board runs until `close`."""

    def __init__(self, design: VirtualDesign, *, root: Path = BUILD) -> None:
        program = build(design, root=root)
        self._stack = ExitStack()
        self.port = str(self._stack.enter_context(temporary.folder("shiftadd-board")) / "port")
        self._process = subprocess.Popen(
            [program, self.port, str(design.info.clock_hz), str(design.info.baud)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._expect("plugged")

    def pull(self) -> None:
        """Pulls the cable out: programs that have the port open lose it, and it is gone."""
        self._command(b"u", "pulled")

    def plug(self) -> None:
        """Plugs the cable in again; the board went on running meanwhile."""
        self._command(b"p", "plugged")

    def close(self) -> None:
        """Ends the board."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._stack.close()

    def __enter__(self) -> VirtualBoard:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _command(self, command: bytes, answer: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command)
        self._process.stdin.flush()
        self._expect(answer)

    def _expect(self, answer: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        if line != answer:
            self.close()
            raise SimulatorError(f"virtual board: {line or 'ended'} instead of {answer}")
