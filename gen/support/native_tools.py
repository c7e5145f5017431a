"""Tools from PATH in place of those of pip, where they are asked for.

nextpnr of pip is WebAssembly and takes several times as long as a native one.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from model.errors import RequestError

ToolSource = Literal["pip", "native"]
VARIABLE = "SHIFTADD_TOOLS"
"""Where the choice stands, for child processes too."""
TIMEOUT = 20.0
"""Seconds for a tool to say its version."""
WAY_OUT = "install it, put it first on PATH, or leave out --tools native"
NEWER = "put a newer one first on PATH, or leave out --tools native"


@dataclass(frozen=True)
class NativeTool:
    """programs: its names, the first that is there is taken. asks: arguments that make it say its
    version, of which `least` is wanted; none of a tool that says none, whose file is hashed
    instead. before: arguments in front of all others."""

    programs: tuple[str, ...]
    asks: tuple[str, ...] = ()
    least: tuple[int, int] = (0, 0)
    before: tuple[str, ...] = ()


_VERSION = re.compile(r"(?:Version |Yosys |nextpnr-)(?:nextpnr-)?v?(\d+)\.(\d+)")
NATIVE = {
    "yosys": NativeTool(("yosys",), ("-V",), (0, 40), ("-s",)),
    "abc": NativeTool(("yosys-abc", "abc")),
    "nextpnr-ecp5": NativeTool(("nextpnr-ecp5",), ("--version",), (0, 7)),
    "ecppack": NativeTool(("ecppack",), ("--version",), (1, 0)),
    "ecpunpack": NativeTool(("ecpunpack",), ("--version",), (1, 0)),
    "nextpnr-ice40": NativeTool(("nextpnr-ice40",), ("--version",), (0, 7)),
    "icepack": NativeTool(("icepack",)),
    "nextpnr-gowin": NativeTool(
        ("nextpnr-himbaechel-gowin", "nextpnr-himbaechel"), ("--version",), (0, 7)
    ),
    "gowin_pack": NativeTool(("gowin_pack",)),
    "openFPGALoader": NativeTool(("openFPGALoader",)),
}
"""Older ones than `least` are refused: they lack flags of the flow."""


def asked() -> bool:
    """Whether tools are to come from PATH."""
    return os.environ.get(VARIABLE) == "native"


@contextmanager
def chosen(source: str) -> Iterator[None]:
    """Takes tools from `source` inside the block. RequestError for an unknown one."""
    if source not in get_args(ToolSource):
        known = " or ".join(get_args(ToolSource))
        raise RequestError(f"--tools {source}: must be {known}")
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = source
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def missing(tool: str) -> str | None:
    """Why a tool cannot run, and the way out; None if it can."""
    native, path = NATIVE[tool], program(tool)
    if path is None:
        return f"{native.programs[0]} is not on PATH: {WAY_OUT}"
    if not native.asks:
        return None
    said = _said(path, native.asks, path.stat().st_mtime_ns)
    number = _number(said)
    if number is None:
        return f"{path.name} says no version, but {said[-90:]!r}: {NEWER}"
    if number < native.least:
        have, least = (".".join(map(str, n)) for n in (number, native.least))
        return f"{path.name} {have} is too old, {least} is needed: {NEWER}"
    return None


def version(tool: str) -> str:
    """What a tool that is not missing says of itself, or a hash of it."""
    path, asks = program(tool), NATIVE[tool].asks
    assert path is not None
    if asks:
        return f"native {path.name}: {_said(path, asks, path.stat().st_mtime_ns)}"
    return f"native {path.name}: sha256 {_hash(path, path.stat().st_mtime_ns)[:12]}"


def command(tool: str, arguments: Sequence[str]) -> list[str]:
    """The command that runs a tool that is not missing."""
    return [str(program(tool)), *NATIVE[tool].before, *arguments]


def program(tool: str) -> Path | None:
    """The file of a tool, of the first of its names that is on PATH."""
    paths = (shutil.which(name) for name in NATIVE[tool].programs)
    return next((Path(path) for path in paths if path), None)


@lru_cache(maxsize=64)
def _said(path: Path, asks: tuple[str, ...], changed: int) -> str:
    """The line of a program's answer that has its version, else the first one."""
    try:
        run = subprocess.run(
            [path, *asks], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    text = (run.stdout + run.stderr).decode(errors="replace")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return next((line for line in lines if _number(line)), (lines or [""])[0])


def _number(said: str) -> tuple[int, int] | None:
    numbers = _VERSION.search(said)
    return (int(numbers[1]), int(numbers[2])) if numbers else None


@lru_cache(maxsize=64)
def _hash(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
