"""Running the tools: each in a child process with a log and a time limit; failures are one line.

All but those of DEBIAN come with pip. yosys runs in a child because an error in one of its passes
ends the process it is in; nextpnr and the packers are WebAssembly or Python modules.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from gen.support import native_tools
from gen.support.tool_programs import DEBIAN as DEBIAN
from gen.support.tool_programs import PACKAGES as PACKAGES
from gen.support.tool_programs import PROGRAMS as PROGRAMS
from model import temporary
from model.errors import ShiftaddError
from model.temporary import CREATING

logger = logging.getLogger("shiftadd.tools")
_PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")
LEAST_ROOM = 1 << 16
"""Bytes that a disk has left when it is not full."""
ROOM_TO_WORK = 1 << 24
"""Bytes that a tool may have filled and freed again."""

# Stands between this process and a tool, in a session of its own: arguments are our process id and
# the tool's command. It ends with all that the tool has started when we end, even if we are killed
# (PR_SET_PDEATHSIG, which only Linux has; we may have ended before that is set).
_GUARD = """
import ctypes, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
signal.pthread_sigmask(signal.SIG_SETMASK, ())
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
try:
    pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status < 0:
    signal.signal(-status, signal.SIG_DFL) if -status not in (9, 19) else None
    os.kill(os.getpid(), -status)
os._exit(status)
"""


class ToolError(ShiftaddError):
    """A tool failed. The message names step, tool and the line of its log that says why."""

    exit_status = 1

    def __init__(self, step: str, tool: str, reason: str, log: Path) -> None:
        super().__init__(step, tool, reason, log)
        self.step, self.tool, self.reason, self.log = step, tool, reason, log

    def __str__(self) -> str:
        return f"{self.step}: {self.tool}: {self.reason} (log: {self.log})"


class HopelessError(ToolError):
    """A tool was stopped because its log showed that it would never end."""


class MissingToolError(ShiftaddError, ModuleNotFoundError):
    """A tool is not installed; the message says how it is."""

    exit_status = 1


def version(tool: str) -> str:
    """`package version` of a tool, from the installed package; of DEBIAN's, the package alone; of a
    native one, what it says of itself."""
    if (absent := missing(tool)) is not None:
        raise MissingToolError(absent)
    if _native(tool):
        return native_tools.version(tool)
    if tool in DEBIAN:
        return DEBIAN[tool]
    return f"{PACKAGES[tool]} {metadata.version(PACKAGES[tool])}"


def missing(tool: str) -> str | None:
    """Why a tool cannot run here, and the way out; None if it can."""
    return native_tools.missing(tool) if _native(tool) else _missing_from_pip(tool)


def _missing_from_pip(tool: str) -> str | None:
    if tool in DEBIAN:
        return None if shutil.which(tool) else f"{tool} not found: apt-get install {DEBIAN[tool]}"
    try:
        metadata.version(PACKAGES[tool])
    except metadata.PackageNotFoundError:
        return f"{tool} is missing: pip install {PACKAGES[tool]}"
    return None


def _native(tool: str) -> bool:
    """Whether a tool is to come from PATH; those of DEBIAN always do, in their own way."""
    return native_tools.asked() and tool not in DEBIAN


def reason(log: str) -> str:
    """The line of a log that says why its tool failed: the first ERROR, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith(("ERROR", "FATAL"))]
    why = (errors or lines[-1:] or ["ended without a word"])[0]
    return why.removeprefix("ERROR:").strip()


def run(
    tool: str,
    arguments: Sequence[str],
    *,
    step: str,
    folder: Path,
    log: Path,
    timeout: float,
    inputs: Sequence[Path] = (),
    hopeless: Callable[[str], bool] = lambda log: False,
    from_pip: bool = False,
) -> float:
    """Run `tool` inside `folder`, output to `log`; seconds taken. Raises ToolError.

    inputs: files that are copied into `folder` for the run, as some tools can read no other place.
    timeout: seconds. hopeless: whether the log so far shows that the tool will never end; it is
    then stopped, with HopelessError. from_pip: never a native tool. The child and its children are
    killed when this process is interrupted.
    """
    command = _command(tool, arguments, from_pip)
    logger.info("%s: %s %s", step, tool, shlex.join(arguments))
    logger.info("%s: log: %s", step, log)
    start = time.monotonic()
    with (
        _copied(inputs, folder),
        log.open("wb") as out,
        process(command, folder, out.fileno()) as child,
    ):
        while (status := finished(child, _left(start + timeout))) is None:
            if time.monotonic() > start + timeout:
                why = f"took more than {timeout:g} s and was stopped; raise the time limit"
                raise ToolError(step, tool, why, log)
            if hopeless(log.read_text(encoding="utf-8", errors="replace")):
                raise HopelessError(step, tool, "goes round in circles and was stopped", log)
    check_room(folder, failed=bool(status))
    if status:
        died = f"was killed by signal {-status}" if status < 0 else ""
        raise ToolError(
            step, tool, died or reason(log.read_text(encoding="utf-8", errors="replace")), log
        )
    seconds = time.monotonic() - start
    logger.info("%s: %s took %.1f s", step, tool, seconds)
    return seconds


def _command(tool: str, arguments: Sequence[str], from_pip: bool) -> list[str]:
    """Raises MissingToolError where there is no such tool, or one that is too old."""
    absent = _missing_from_pip(tool) if from_pip else missing(tool)
    if absent is not None:
        raise MissingToolError(absent)
    if _native(tool) and not from_pip:
        return native_tools.command(tool, arguments)
    return [sys.executable, "-P", "-c", PROGRAMS[tool], *arguments]


def check_room(folder: Path, *, failed: bool) -> None:
    """Raises OSError where a disk is full, on which a tool has just written: most of them say
    nothing of it, or fail of something else. One that `failed` may have made room again."""
    if shutil.disk_usage(folder).free < (ROOM_TO_WORK if failed else LEAST_ROOM):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _left(deadline: float) -> float:
    """Seconds until the deadline, at most one."""
    return min(1.0, max(0.0, deadline - time.monotonic()))


def finished(child: subprocess.Popen[bytes], seconds: float | None = None) -> int | None:
    """Exit status of a child; None if it still runs after `seconds`."""
    try:
        status = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    with CREATING:  # whoever ends this process has ended the child: nothing is made of that
        return status


@contextlib.contextmanager
def _copied(files: Sequence[Path], folder: Path) -> Iterator[None]:
    """Copies of files in `folder`, which are removed at the end."""
    copies = [shutil.copyfile(file, folder / file.name) for file in files]
    try:
        yield
    finally:
        for copy in copies:
            copy.unlink()


def plain_folder() -> Path | None:
    """A folder for temporary files whose path make, the shell and linkers take: no spaces, quotes
    and the like, of which iverilog makes commands. None where there is none."""
    tried = (tempfile.gettempdir(), "/tmp", "/var/tmp")
    plain = (t for t in tried if _PLAIN.fullmatch(t) and os.access(t, os.W_OK | os.X_OK))
    return next(map(Path, plain), None)


@contextlib.contextmanager
def process(
    command: Sequence[str], folder: Path, out: int | None, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A child that ends, with all that it starts, at the end of the block or of this process.

    out: descriptor for its stdout and stderr; None leaves it ours. Waited for by `finished`.
    """
    with temporary.folder("shiftadd-tool", plain_folder()) as scratch:
        # what compilers and yosys would leave in TMPDIR when they are killed
        own = {**(os.environ if env is None else env), "TMPDIR": str(scratch)}
        with _guarded(command, folder, out, own) as child:
            yield child


@contextlib.contextmanager
def _guarded(
    command: Sequence[str], folder: Path, out: int | None, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    guard = [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid())]
    child = None
    try:
        with CREATING:
            child = subprocess.Popen(
                [*guard, *command],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=None if out is None else subprocess.STDOUT,
                start_new_session=True,
            )
        yield child
    finally:
        if child and child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
