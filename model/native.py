"""Loops in C++ that train networks, compiled for this processor at first use.

A library is kept in the user's cache, $XDG_CACHE_HOME/shiftadd (by default ~/.cache/shiftadd), by
the hash of its source, compiler and processor. Where it cannot be built or kept, one line says so
and PyTorch computes the same.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import stat
import subprocess
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from model.errors import ShiftaddError
from model.files import replacing
from model.temporary import CREATING

COMPILER = "g++"
FLAGS = ("-std=c++17", "-O3", "-march=native", "-shared", "-fPIC", "-w")
THREADED = "-fopenmp"
"""Tried first. PyTorch has loaded that runtime, whose threads are shared."""
PATIENCE = 120.0
"""Seconds that a compiler may take."""
DIGEST = hashlib.sha256().digest_size
HERE = Path(__file__).parent
logger = logging.getLogger("shiftadd.native")


class NativeError(ShiftaddError):
    """A library that cannot be built, kept or loaded; one line says why. It ends no command."""


def on_cpu(*tensors: Tensor) -> bool:
    """Whether loops take them: float32 in the memory of the CPU."""
    return all(t.dtype == torch.float32 and t.device.type == "cpu" for t in tensors)


def threads(most: int) -> int:
    """As many as PyTorch has, `most` at most."""
    return max(1, min(torch.get_num_threads(), most))


class Windows(ctypes.Structure):
    """`Shape` of windows.h."""

    _fields_ = tuple(
        (name, ctypes.c_int64)
        for name in ("n", "h", "w", "c", "o", "k", "stride", "pad", "rows", "columns", "depthwise")
    )  # fmt: skip


def dense(t: Tensor) -> Tensor:
    """(N, C, H, W) as (N, H, W, C), in that order in memory."""
    return t.permute(0, 2, 3, 1).contiguous()


def windows(x: Tensor, w: Tensor, stride: int, pad: int, depthwise: bool = False) -> Windows:
    """Of a layer with inputs x (N, H, W, C) and weights w (O, k, k, C), or (C, k, k, 1)."""
    n, height, width, c = x.shape
    o, k = w.shape[:2]
    rows, columns = ((size + 2 * pad - k) // stride + 1 for size in (height, width))
    return Windows(n, height, width, c, o, k, stride, pad, rows, columns, depthwise)


def call(
    library_name: str, name: str, shape: Windows, *arguments: Tensor | ctypes.c_int64 | None
) -> int:
    """Calls a function of a library that is there; None stands for a null pointer."""
    made = library(library_name)
    assert made is not None
    given = (
        ctypes.c_void_p(a.data_ptr()) if isinstance(a, Tensor) else a for a in arguments
    )  # fmt: skip
    function = made[name]
    function.restype = ctypes.c_int64
    done: int = function(ctypes.byref(shape), *given, ctypes.c_int64(threads(shape.n)))
    return done


@cache
def library(name: str) -> ctypes.CDLL | None:
    """The library of `model/<name>.cpp`; None, after one line of log, where there is none."""
    try:
        return _load(_built(HERE / f"{name}.cpp"))
    except (NativeError, OSError) as error:
        _tell(" ".join(str(error).split()))
        return None


@cache
def _tell(why: str) -> None:
    """Once, however many libraries cannot be had."""
    logger.warning("slower, in PyTorch alone: %s", why)


def _load(path: Path) -> ctypes.CDLL:
    return ctypes.CDLL(str(path))


def _built(source: Path) -> Path:
    """The library made of `source`, made before or now: whole, whoever else makes it meanwhile."""
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise NativeError(f"needs {COMPILER}; apt-get install {COMPILER}")
    path = _folder() / f"{source.stem}-{_digest(source, compiler)}.so"
    if not _whole(path):
        with replacing(path) as part:
            _compile(compiler, source, part)
            with part.open("r+b") as made:
                made.write(hashlib.sha256(made.read()).digest())
    return path


def _whole(path: Path) -> bool:
    """Whether a library is there, with its hash behind it: one that was cut short, as by a loss of
    power, would end the process that loads it."""
    if not path.is_file():
        return False
    content = path.read_bytes()
    return hashlib.sha256(content[:-DIGEST]).digest() == content[-DIGEST:]


def _compile(compiler: str, source: Path, product: Path) -> None:
    """Without threads where the compiler has no OpenMP."""
    for extra in ((THREADED,), ()):
        words = [compiler, *FLAGS, *extra, str(source), "-o", str(product)]
        logger.info("native: %s", " ".join(words))
        done = _run(words)
        if done.returncode == 0:
            return
    lines = [line for line in done.stderr.splitlines() if "rror" in line] or [done.stderr[-200:]]
    raise NativeError(f"{COMPILER} cannot compile {source.name}: {lines[0].strip()}")


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    pipe = subprocess.PIPE
    with CREATING:  # whoever ends this process ends the compiler, too
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    with child:
        try:
            out, err = child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            raise NativeError(f"{words[0]}: not done after {PATIENCE:.0f} s") from None
    texts = (text.decode(errors="replace") for text in (out, err))
    return subprocess.CompletedProcess(words, child.returncode, *texts)


def _digest(source: Path, compiler: str) -> str:
    """Of all that the library depends on."""
    version = _run([compiler, "--version"]).stdout
    texts = [path.read_text(encoding="utf-8") for path in (source, *sorted(HERE.glob("*.h")))]
    parts = (*texts, version, *FLAGS, THREADED, _processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _processor() -> str:
    """What this processor can do, as far as the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU part", "isa")
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(wanted)))


def _folder() -> Path:
    """The user's cache, which nobody else can write: what lies there is executed."""
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError:
        raise NativeError("no home for a cache; set XDG_CACHE_HOME to a folder") from None
    folder = home.absolute() / "shiftadd"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    about = folder.lstat()
    if about.st_uid != os.getuid() or about.st_mode & 0o022 or not stat.S_ISDIR(about.st_mode):
        raise NativeError(f"{folder} can be written by others; chmod 700, or set XDG_CACHE_HOME")
    return folder
