"""The simulators: build a model once, run it with cocotb.

A built simulator is kept by the hash of all its inputs and reused as long as it is, to the byte,
what was built: see gen.support.cache.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from gen.support.cache import Cache
from model.errors import RequestError
from sim.bench.installed import missing, verilator_first, version, waves_missing
from sim.bench.runners import (
    BEAT,
    SimulatorError,
    VerilatorRunner,
    libraries,
    runner,
    workshop,
)

T = TypeVar("T")
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
TRACE_ARGS = {"fst": ("--trace-fst",), "saif": ("--trace-saif",)}
"""Verilator's, by the format of the waves; that of VCD is its default."""


def check_waves(simulator: str, waves: Path | None) -> str | None:
    """Format of a waveform file, by its name. Raises RequestError where it cannot be written."""
    kind = waves.suffix[1:] if waves else None
    if kind not in (None, "fst", "vcd", "saif"):
        raise RequestError(f"waves {str(waves)!r}: the name must end in .fst, .vcd or .saif")
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
    """Folder with a simulator of module `bench` in `verilog`, built or found ready and unchanged.

    waves: "fst", "vcd" or "saif" for a model that can write them. Raises SimulatorError.
    """
    reason = missing(simulator)
    if reason:
        raise SimulatorError(reason)
    args = (*VERILATOR_ARGS, *TRACE_ARGS.get(waves or "", ()))
    made_of = {"version": version(simulator), "arguments": args, "waves": waves}
    steps = Cache(root.absolute())

    def make(folder: Path) -> float:
        began = time.monotonic()
        with workshop() as shop:
            if simulator == "verilator":
                with _runtime(steps, made_of) as objects:
                    _compile(verilog, simulator, args, waves, shop, objects)
                    _keep_runtime(steps, made_of, shop / "model")
            else:
                _compile(verilog, simulator, args, waves, shop, ())
            product = TOP if simulator == "verilator" else "sim.vvp"
            shutil.move(shop / "model" / product, folder / product)
        return time.monotonic() - began

    return steps.step(simulator, made_of | {"verilog": verilog}, make).folder


def _compile(
    verilog: str,
    simulator: str,
    args: tuple[str, ...],
    waves: str | None,
    shop: Path,
    objects: Sequence[Path],
) -> None:
    """Make shop/model; the build log becomes part of the error message if it fails."""
    model, log = shop / "model", shop / "build.log"
    model.mkdir()
    source = shop / "bench.v"
    source.write_text(verilog)
    builder = runner(simulator, waves)
    if isinstance(builder, VerilatorRunner):
        builder.objects, builder.links = objects, shop
    logger.info("simulation: %s builds %s; log: %s", simulator, source, log)
    try:
        with verilator_first(shop):
            builder.build(
                sources=[source],
                hdl_toplevel=TOP,
                build_dir=model,
                build_args=list(args) if simulator == "verilator" else [],
                timescale=TIMESCALE,
                waves=waves is not None,
                log_file=log,
            )
    except TimeoutError as error:
        raise SimulatorError(f"{simulator}: cannot build: {error}") from error
    except (RuntimeError, SystemExit) as error:
        raise SimulatorError(failure_message(simulator, "cannot build", log)) from error


@contextmanager
def _runtime(steps: Cache, made_of: Mapping[str, object]) -> Iterator[Sequence[Path]]:
    """Verilator's own objects, compiled before; none for the first of all processes that need
    them, for which the others wait.
    """
    with _first_alone(steps.root / "runtime.lock", lambda: steps.kept("runtime", made_of)) as entry:
        copies = [entry.folder / name for name in entry.files] if entry else []
        yield copies


@contextmanager
def _first_alone(path: Path, ready: Callable[[], T | None]) -> Iterator[T | None]:
    """What is `ready`, or None for the first process that finds it not to be, while the others wait
    for that process; `path`: of the lock.
    """
    if (thing := ready()) is not None:
        yield thing
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (thing := ready()) is not None:
            fcntl.flock(lock, fcntl.LOCK_UN)
        try:
            yield thing
        finally:
            path.unlink(missing_ok=True)


def _keep_runtime(steps: Cache, made_of: Mapping[str, object], model: Path) -> None:
    """Keeps Verilator's own objects, as compiling them takes far longer than a small design."""

    def make(folder: Path) -> float:
        for path in model.glob("verilated*.o"):
            shutil.copy(path, folder / path.name)
        return 0.0

    steps.step("runtime", made_of, make)


def run(
    model: Path,
    folder: Path,
    *,
    simulator: str = "verilator",
    waves: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run the simulator in `model` inside `folder`, where it reads and writes its files.

    waves: file to write, ending in .fst, .vcd or .saif. Raises SimulatorError when it breaks down.
    """
    started = runner(simulator, waves.suffix[1:] if waves else None)
    started.beat = folder / BEAT
    log = folder / "run.log"
    logger.info("simulation: %s runs in %s; log: %s", simulator, folder, log)
    try:
        started.test(
            test_module="sim.bench.cocotb_main",
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=model,
            test_dir=folder,
            results_xml=str((folder / "results.xml").absolute()),
            waves=waves is not None,
            test_args=["--trace-file", str(waves)] if waves and simulator == "verilator" else [],
            plusargs=[f"+dumpfile_path={waves}"] if waves and simulator == "icarus" else [],
            extra_env={
                "COCOTB_LOG_LEVEL": "WARNING",
                "COCOTB_REWRITE_ASSERTION_FILES": "",
                "LD_LIBRARY_PATH": libraries(),
            }
            | dict(env or {}),
            log_file=log,
        )
    except TimeoutError as error:
        raise SimulatorError(f"{simulator}: {error}") from error
    except (RuntimeError, SystemExit) as error:
        raise SimulatorError(failure_message(simulator, "broke down", log)) from error
    except OSError as error:
        raise SimulatorError(f"{simulator}: {model}: cannot run ({error.strerror})") from error


def failure_message(simulator: str, failure: str, log: Path) -> str:
    """One line: simulator, `failure` and the first error of its log."""
    lines = [
        line
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    errors = [line for line in lines if "rror" in line] or lines or ["no output"]
    return f"{simulator}: {failure}: {errors[0].strip()}"
