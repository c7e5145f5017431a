"""The simulators: build a model once, run it with cocotb.

A built simulator is kept in a folder named by the hash of all its inputs, and reused.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TextIO

from cocotb_tools.runner import Icarus, Runner, Verilator

from gen.support.tools import finished, process
from model import temporary
from model.errors import RequestError, ShiftaddError
from sim.bench.installed import missing, verilator_first, version, waves_missing

logger = logging.getLogger("shiftadd.simulators")
BUILD = Path("build/simulators")
TOP = "bench"
TIMESCALE = ("1ns", "1ps")
VERILATOR_ARGS = (
    "-O3",
    "-Wno-fatal",  # Amaranth's Verilog leaves widths to be extended
    "-Wno-lint",
    "-Wno-style",
    "--no-public-flat-rw",  # after cocotb's --public-flat-rw, which would keep every signal
)


class SimulatorError(ShiftaddError):
    """A simulator is missing, cannot be built or broke down; the message says the way out."""


class _GuardedRunner(Runner):
    """Commands that end, with all that they start, when this process does."""

    def _execute_cmds(
        self, cmds: Sequence[list[str]], cwd: PathLike[str] | str, stdout: TextIO | None = None
    ) -> None:
        out = None if stdout is None else stdout.fileno()
        for command in cmds:
            with process([*map(str, command)], Path(cwd), out, self.env) as child:
                if status := finished(child):
                    raise RuntimeError(f"exit status {status}")


class _IcarusRunner(_GuardedRunner, Icarus):
    """Icarus that writes the wave format asked for; cocotb's always writes FST."""

    wave_format = "fst"

    def _test_command(self) -> list[list[str]]:
        commands: list[list[str]] = super()._test_command()
        return [[f"-{self.wave_format}" if w == "-fst" else w for w in c] for c in commands]


class _VerilatorRunner(_GuardedRunner, Verilator):
    """Verilator that takes over objects compiled before, after its makefile and before make."""

    objects: Sequence[Path] = ()

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        reuse = [["cp", *map(str, self.objects), str(self.build_dir)]] if self.objects else []
        return [verilate, *reuse, make]


def check_waves(simulator: str, waves: Path | None) -> str | None:
    """Format of a waveform file, by its name. Raises RequestError where it cannot be written."""
    kind = waves.suffix[1:] if waves else None
    if kind not in (None, "fst", "vcd"):
        raise RequestError(f"waves {str(waves)!r}: the name must end in .fst or .vcd")
    if waves and waves.parent.exists() and not waves.parent.is_dir():
        raise RequestError(
            f"waves {str(waves)!r}: {str(waves.parent)!r} is no folder; name another"
        )
    if reason := waves_missing(simulator, kind):
        raise SimulatorError(reason)
    return kind


def build(
    verilog: str, *, simulator: str = "verilator", waves: str | None = None, root: Path = BUILD
) -> Path:
    """Folder with a simulator of module `bench` in `verilog`, built or found ready.

    waves: "fst" or "vcd" for a model that can write them. Raises SimulatorError.
    """
    reason = missing(simulator)
    if reason:
        raise SimulatorError(reason)
    args = (*VERILATOR_ARGS, "--trace-fst") if waves == "fst" else VERILATOR_ARGS
    identity = digest(verilog, simulator, version(simulator), args, waves)
    folder = root.absolute() / f"{simulator}-{identity}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary.folder("building", folder.parent) as scratch:
            _compile(verilog, simulator, args, waves, scratch, root.absolute())
            publish(scratch / "model", folder)
    return folder


def _compile(
    verilog: str,
    simulator: str,
    args: tuple[str, ...],
    waves: str | None,
    scratch: Path,
    root: Path,
) -> None:
    """Make scratch/model; the build log becomes part of the error message if it fails."""
    model, log = scratch / "model", scratch / "build.log"
    model.mkdir()
    source = scratch / "bench.v"
    source.write_text(verilog)
    shared = root / f"runtime-{digest(simulator, version(simulator), args, waves)}"
    with _first_alone(shared if simulator == "verilator" else None):
        runner = _runner(simulator, waves, shared)
        logger.info("simulation: %s builds %s; log: %s", simulator, source, log)
        try:
            with verilator_first():
                runner.build(
                    sources=[source],
                    hdl_toplevel=TOP,
                    build_dir=model,
                    build_args=list(args) if simulator == "verilator" else [],
                    timescale=TIMESCALE,
                    waves=waves is not None,
                    log_file=log,
                )
        except (RuntimeError, SystemExit) as error:
            raise SimulatorError(failure_message(simulator, "cannot build", log)) from error
        _keep(model, scratch / "runtime", shared)


@contextmanager
def _first_alone(shared: Path | None) -> Iterator[None]:
    """Lets other processes wait while the first one compiles `shared`, which all of them need."""
    if shared is None or shared.exists():
        yield
        return
    path = shared.with_suffix(".lock")
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shared.exists():
            fcntl.flock(lock, fcntl.LOCK_UN)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _keep(model: Path, runtime: Path, shared: Path) -> None:
    """Leaves in `model` what a run needs, and moves Verilator's own objects to `shared`, as
    compiling them takes far longer than a small design does.
    """
    runtime.mkdir()
    for path in model.iterdir():
        if path.name.startswith("verilated") and path.suffix == ".o":
            path.rename(runtime / path.name)
        elif path.name not in (TOP, "sim.vvp"):
            path.unlink()
    if any(runtime.iterdir()):
        publish(runtime, shared)


def publish(folder: Path, final: Path) -> None:
    """Gives a finished folder its name, unless another process was faster."""
    try:
        folder.rename(final)
    except OSError:
        if not final.exists():
            raise


def digest(*identity: object) -> str:
    """20 hexadecimal digits of the SHA-256 of these values."""
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:20]


def run(
    model: Path,
    folder: Path,
    *,
    simulator: str = "verilator",
    waves: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run the simulator in `model` inside `folder`, where it reads and writes its files.

    waves: file to write, ending in .fst or .vcd. Raises SimulatorError when it breaks down.
    """
    runner = _runner(simulator, waves.suffix[1:] if waves else None)
    log = folder / "run.log"
    logger.info("simulation: %s runs in %s; log: %s", simulator, folder, log)
    try:
        runner.test(
            test_module="sim.bench.cocotb_main",
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=model,
            test_dir=folder,
            results_xml=str((folder / "results.xml").absolute()),
            waves=waves is not None,
            test_args=["--trace-file", str(waves)] if waves and simulator == "verilator" else [],
            plusargs=[f"+dumpfile_path={waves}"] if waves and simulator == "icarus" else [],
            extra_env={"COCOTB_LOG_LEVEL": "WARNING", "COCOTB_REWRITE_ASSERTION_FILES": ""}
            | dict(env or {}),
            log_file=log,
        )
    except (RuntimeError, SystemExit) as error:
        raise SimulatorError(failure_message(simulator, "broke down", log)) from error


def _runner(simulator: str, wave_format: str | None, runtime: Path | None = None) -> Runner:
    if simulator == "verilator":
        fast = _VerilatorRunner()
        fast.objects = sorted(runtime.glob("*.o")) if runtime else []
        return fast
    runner = _IcarusRunner()
    runner.wave_format = wave_format or "fst"
    return runner


def failure_message(simulator: str, failure: str, log: Path) -> str:
    """One line: simulator, `failure` and the first error of its log."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line] or lines or ["no output"]
    return f"{simulator}: {failure}: {errors[0].strip()}"
