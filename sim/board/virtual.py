"""The virtual board: the Verilog of a board in Verilator, behind a pseudo-terminal like its port.

with VirtualBoard(design) as board, BoardConnection.open(board.port, design.info.baud) as device:
    device.predict(images)
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from select import select
from typing import Protocol

from gen.support.cache import Cache
from model import temporary
from sim.bench.installed import missing, verilator_first, version
from sim.bench.runners import BUILD_LIMIT, SimulatorError, execute, workshop
from sim.bench.simulators import BUILD, failure_message

logger = logging.getLogger("shiftadd.simulators")
PATIENCE = 10.0
"""Seconds without an answer after which a host should repeat a request: a slow network takes a
second an image, and a busy machine may stop the simulation for another."""
PROMPT = 30.0
"""Seconds in which the program starts, ends, and does what it is told."""
LONGEST = 256
"""Bytes of a line that the program says, at most."""
PROGRAM = "board"
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
    """The program that simulates the board, compiled unless it is there, to the byte as it was
    built. Raises SimulatorError."""
    if reason := missing("verilator"):
        raise SimulatorError(reason)
    made_of = {
        "verilog": design.verilog,
        "top": design.top,
        "main": MAIN.read_text(),
        "version": version("verilator"),
        "arguments": ARGS,
    }

    def make(folder: Path) -> float:
        began = time.monotonic()
        with workshop() as shop:
            shutil.move(_compile(design, shop), folder / PROGRAM)
        return time.monotonic() - began

    return Cache(root.absolute()).step("virtual", made_of, make).folder / PROGRAM


def _compile(design: VirtualDesign, shop: Path) -> Path:
    """The program, built in `shop`."""
    log = shop / "build.log"
    (shop / "board.v").write_text(design.verilog)
    shutil.copyfile(MAIN, shop / MAIN.name)
    names = ("--top-module", design.top, "--Mdir", "work", "-o", f"../{PROGRAM}")
    command = ["verilator", *ARGS, *names, "board.v", MAIN.name]
    logger.info("virtual board: %s; log: %s", shlex.join(command), log)
    try:
        with log.open("w") as out, verilator_first(shop):
            execute(command, shop, out, limit=BUILD_LIMIT)
    except TimeoutError as error:
        raise SimulatorError(f"verilator: cannot build: {error}") from error
    except RuntimeError as error:
        raise SimulatorError(failure_message("verilator", "cannot build", log)) from error
    return shop / PROGRAM


class VirtualBoard:
    """A running board. port: path that a host opens; the board runs until `close`."""

    def __init__(self, design: VirtualDesign, *, root: Path = BUILD) -> None:
        program = build(design, root=root)
        self._stack = ExitStack()
        self.port = str(self._stack.enter_context(temporary.folder("shiftadd-board")) / "port")
        try:
            self._process = subprocess.Popen(
                [program, self.port, str(design.info.clock_hz), str(design.info.baud)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        except OSError as error:
            self._stack.close()
            raise SimulatorError(f"{program}: cannot be started ({error.strerror})") from error
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
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PROMPT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stack.close()

    def __enter__(self) -> VirtualBoard:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _command(self, command: bytes, answer: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the answer, which will not come, says so
            self._process.stdin.write(command)
            self._process.stdin.flush()
        self._expect(answer)

    def _expect(self, answer: str) -> None:
        """Waits PROMPT seconds for a line of the program; SimulatorError for another, or none."""
        assert self._process.stdout is not None
        line, ended, end = b"", False, time.monotonic() + PROMPT
        while not line.endswith(b"\n") and len(line) < LONGEST:
            ready, _, _ = select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._process.stdout.fileno(), 1) if ready else b""
            if not part:
                ended = bool(ready)
                break
            line += part
        if (said := line.decode(errors="replace").strip()) != answer:
            self.close()
            silent = "ended" if ended else f"silent for {PROMPT:g} s"
            raise SimulatorError(f"virtual board: {said or silent} instead of {answer}")
