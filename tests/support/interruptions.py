"""Commands that are sent a signal at some moment, and what they leave behind.

python -m tests.support.interruptions --count 20 --seed 1 compile simulate
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import DIGITS_HYBRID, ROOT
from tests.support.report_run import make_run

MARK = "SHIFTADD_INTERRUPTED"
PROC = Path("/proc")
STATUS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
GRACE = 3.0
"""Seconds in which multiprocessing's resource tracker cleans up."""
LEFT = ("*.shiftadd-tmp", "building-*", ".synth-*", ".place-*", ".pack-*", "shiftadd-*", "key.*")


@dataclass(frozen=True)
class Verb:
    """words: of the command line. seconds: about what a run takes, on one core with cold caches.
    prepare: makes in an empty folder what it needs."""

    words: tuple[str, ...]
    seconds: float
    prepare: Callable[[Path], object] = lambda folder: None


BUDGET = {
    "population": 4, "generations": 1, "trained": 2, "finalists": 1, "rounds": 1, "epochs": 1,
    "rungs": 2, "teacher-epochs": 1, "supernet-epochs": 1, "probes": 0,
}  # fmt: skip
NET = str(DIGITS_HYBRID)
VERBS = {
    "demo": Verb(("demo",), 240),
    "data": Verb(("data", "digits", "--out", "digits.png"), 3),
    "arch": Verb(("arch", "new", "--data", "digits", "--out", "mine.json"), 3),
    "boards": Verb(("boards",), 2),
    "search": Verb(
        ("search", "--data", "digits", "--board", "up5k",
         *(word for name, n in BUDGET.items() for word in (f"--{name}", str(n)))), 60,
    ),
    "train": Verb(("train", "digits_mlp", "--data", "digits", "--epochs", "20"), 15),
    "compile": Verb(("compile", NET, "--board", "up5k"), 60),
    "simulate": Verb(("simulate", NET, "--board", "up5k", "--images", "20"), 30),
    "deploy": Verb(
        ("deploy", NET, "--board", "icebreaker", "--virtual", "--images", "3"), 40,
    ),
    "report": Verb(("report", "run"), 4, lambda folder: make_run(folder / "run")),
    "characterise": Verb(("characterise", "--board", "up5k", "--count", "400"), 30),
}  # fmt: skip


@dataclass(frozen=True)
class Interrupted:
    """What a command did after its signal. ready: whether the signal came when shiftadd was
    ready for it, not while Python itself started."""

    verb: str
    number: int
    delay: float
    ready: bool
    status: int
    stderr: str
    seconds: float
    survivors: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        wrong = [f"{name} lives on" for name in self.survivors]
        wrong += [f"{name} is left" for name in self.leftovers]
        if self.seconds > 15:
            wrong.append(f"took {self.seconds:.1f} s to end")
        allowed = {0, STATUS[signal.Signals(self.number)]}
        if not self.ready:
            allowed.add(-self.number)
            if "init_import_site" in self.stderr:  # Python's own status, before any line of ours
                return wrong
        if self.status not in allowed:
            wrong.append(f"status {self.status}")
        said = [line for line in self.stderr.splitlines() if line.startswith("shiftadd: ")]
        if self.status > 0 and len(said) != 1:
            wrong.append(f"{len(said)} lines")
        if self.ready and "Traceback" in self.stderr:
            wrong.append("traceback")
        return wrong


def interrupt(
    verb: str,
    number: int,
    delay: float,
    folder: Path,
    *,
    group: bool = False,
    until_ready: bool = False,
) -> Interrupted:
    """Runs a verb in an empty folder and sends it a signal after `delay` seconds.

    group: as a terminal does, to all processes of its group. until_ready: not before shiftadd is
    ready for it.
    """
    case = VERBS[verb]
    for ignored in (n for n in STATUS if signal.getsignal(n) is signal.SIG_IGN):
        signal.signal(ignored, signal.SIG_DFL)  # as in a job in the background; children inherit it
    case.prepare(folder)
    before = set(folder.rglob("*"))
    (folder / "tmp").mkdir()
    with (folder / "stderr").open("wb") as err:
        run = subprocess.Popen(
            [sys.executable, "-m", "shiftadd", *case.words],
            cwd=folder,
            env=_environment(folder, copied=verb == "characterise"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            start_new_session=True,
        )
        with suppress(subprocess.TimeoutExpired):
            run.wait(delay)
        while until_ready and not _catches(run.pid, number) and run.poll() is None:
            time.sleep(0.002)
        ready = _catches(run.pid, number)
        began = time.monotonic()
        if run.poll() is None:
            (os.killpg if group else os.kill)(run.pid, number)
        try:
            run.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    seconds = time.monotonic() - began
    return Interrupted(
        verb, number, delay, ready, run.returncode, (folder / "stderr").read_text(errors="replace"),
        seconds, _survivors(folder), _leftovers(folder, before),
    )  # fmt: skip


def _environment(folder: Path, *, copied: bool) -> Mapping[str, str]:
    """That of a user with a home of their own. copied: our packages, too."""
    rooms = folder / "rooms"
    rooms.mkdir()
    for room in ("shiftadd", "search", "sim", "gen", "rtl", "model"):
        if copied:
            shutil.copytree(ROOT / room, rooms / room)
        else:
            (rooms / room).symlink_to(ROOT / room)
    return os.environ | {
        MARK: str(folder), "TMPDIR": str(folder / "tmp"), "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(rooms), "OMP_NUM_THREADS": "1",
    }  # fmt: skip


def _catches(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    with suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                caught = int(line.split()[1], 16)
                both = number != signal.SIGINT or caught >> (signal.SIGTERM - 1) & 1
                return bool(caught >> (number - 1) & 1 and both)
    return False


def _survivors(folder: Path) -> list[str]:
    deadline = time.monotonic() + GRACE
    while (alive := living(str(folder))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def living(mark: str) -> list[str]:
    """Command lines of the processes that have MARK set to `mark` in their environment."""
    return list(_marked(f"{MARK}={mark}".encode()))


def _marked(entry: bytes) -> Iterator[str]:
    for path in PROC.iterdir():
        if path.name.isdecimal():
            with suppress(OSError):
                if entry in (path / "environ").read_bytes().split(b"\0"):
                    yield (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100]


def _leftovers(folder: Path, before: set[Path]) -> list[str]:
    new = {path for pattern in LEFT for path in folder.rglob(pattern)} - before
    new |= set((folder / "tmp").iterdir())
    return sorted(str(path.relative_to(folder)) for path in new)


def draw(verb: str, rng: random.Random) -> float:
    """A delay: one in three while the program starts, the others over the whole run."""
    return rng.uniform(0, 2) if rng.random() < 1 / 3 else rng.uniform(0, VERBS[verb].seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verbs", nargs="*", default=list(VERBS))
    parser.add_argument("--count", type=int, default=10, help="signals for each verb")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    total = failed = 0
    for _ in range(given.count):
        for verb in given.verbs:
            number, delay = rng.choice(list(STATUS)), draw(verb, rng)
            with tempfile.TemporaryDirectory() as name:
                end = interrupt(verb, number, delay, Path(name), group=rng.random() < 0.5)
            total, failed = total + 1, failed + bool(end.faults)
            print(
                f"{verb} {signal.Signals(number).name} after {delay:.3f} s: status {end.status}, "
                f"{end.seconds:.2f} s, ready {end.ready}; {', '.join(end.faults) or 'right'}",
                flush=True,
            )
            if end.faults:
                print(end.stderr)
    print(f"{failed} of {total} not as they should")


if __name__ == "__main__":
    main()
