"""cocotb's runners of the simulators, made to end: what they start is watched, and killed in time;
and made to build where make can: see `workshop`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import cocotb_tools.config
from cocotb_tools.runner import Icarus, Runner, Verilator

from gen.support.tools import check_room, finished, plain_folder, process
from model import temporary
from model.errors import ShiftaddError

BUILD_LIMIT = 3600.0
"""Seconds after which a compiler is stopped."""
SILENCE = 600.0
"""Seconds without a sign of life after which a running simulator is stopped."""
BEAT = "beat"
"""The file that a running simulator touches: sim.bench.cocotb_main."""


class SimulatorError(ShiftaddError):
    """A simulator is missing, cannot be built or broke down; the message says the way out."""


@contextmanager
def workshop() -> Iterator[Path]:
    """A temporary folder to build in, of a path that make, the shell and linkers take: without
    spaces, quotes and the like, which the paths of a user's folders may have.
    """
    if (parent := plain_folder()) is None:
        raise SimulatorError(
            f"{tempfile.gettempdir()}: make cannot build in a folder of this name; set TMPDIR to "
            "one of letters and digits alone"
        )
    with temporary.folder("shiftadd-build", parent) as folder:
        yield folder


def finish(child: subprocess.Popen[bytes], limit: float, alive: Path | None = None) -> int:
    """Exit status of a child; TimeoutError when it ends not within `limit` seconds, or within as
    many since the file `alive` was touched.
    """
    last, end = 0, time.monotonic() + limit
    while time.monotonic() < end:
        if (status := finished(child, 1.0)) is not None:
            return status
        if alive is not None and alive.exists() and (now := alive.stat().st_mtime_ns) != last:
            last, end = now, time.monotonic() + limit
    raise TimeoutError(f"gave no sign of life for {limit:g} s and was stopped")


def execute(
    command: Sequence[str],
    folder: Path,
    log: TextIO,
    *,
    limit: float,
    env: Mapping[str, str] | None = None,
    alive: Path | None = None,
) -> None:
    """Runs a command inside `folder`, output to `log`. RuntimeError when it fails, TimeoutError as
    `finish`, OSError where the disk is full.
    """
    with process(command, folder, log.fileno(), env) as child:
        status = finish(child, limit, alive)
        check_room(folder, failed=bool(status))
        if status:
            raise RuntimeError(f"exit status {status}")


class _WatchedRunner(Runner):
    """A runner whose commands end: see `finish`. beat: the file that shows a running simulator
    alive; None while it is built.
    """

    beat: Path | None = None

    def _execute_cmds(
        self, cmds: Sequence[list[str]], cwd: str | os.PathLike[str], stdout: TextIO | None = None
    ) -> None:
        assert stdout is not None, "there is a log"
        limit = SILENCE if self.beat else BUILD_LIMIT
        for command in cmds:
            execute(command, Path(cwd), stdout, limit=limit, env=self.env, alive=self.beat)


class IcarusRunner(_WatchedRunner, Icarus):
    """Icarus that writes the wave format asked for; cocotb's always writes FST."""

    wave_format = "fst"

    def _test_command(self) -> list[list[str]]:
        commands: list[list[str]] = super()._test_command()
        return [[f"-{self.wave_format}" if w == "-fst" else w for w in c] for c in commands]


class VerilatorRunner(_WatchedRunner, Verilator):
    """Verilator that takes over objects compiled before, after its makefile and before make, and
    names cocotb's folders by links in the folder `links`.

    A model holds no path of the libraries: `libraries` gives them to it.
    """

    objects: Sequence[Path] = ()
    links: Path | None = None

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        assert self.links is not None
        config = cocotb_tools.config
        for name, home in (("libs", config.libs_dir), ("share", config.share_dir)):
            (self.links / name).symlink_to(home)
            verilate = [word.replace(str(home), str(self.links / name)) for word in verilate]
        verilate = [word.replace("-Wl,-rpath,", "-Wl,-rpath-link,") for word in verilate]
        reuse = [["cp", *map(str, self.objects), str(self.build_dir)]] if self.objects else []
        return [verilate, *reuse, make]


def libraries() -> str:
    """LD_LIBRARY_PATH with cocotb's libraries."""
    before = os.environ.get("LD_LIBRARY_PATH")
    return os.pathsep.join([str(cocotb_tools.config.libs_dir), *([before] if before else [])])


def runner(simulator: str, wave_format: str | None) -> VerilatorRunner | IcarusRunner:
    """The runner of "verilator" or "icarus". wave_format: "fst", "vcd" or "saif"."""
    if simulator == "verilator":
        return VerilatorRunner()
    made = IcarusRunner()
    made.wave_format = wave_format or "fst"
    return made
