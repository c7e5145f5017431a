"""Tries inputs in a process of its own, which may be ended: one line of JSON for each."""

from __future__ import annotations

import json
import random
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

from model.errors import ShiftaddError
from tests.fuzz.subject import Subject
from tests.fuzz.subjects import SUBJECTS

SECONDS, BYTES = 5.0, 1 << 30
"""What one input may take: processor time, and memory beyond what the process has anyway."""


FAULTS = ("traceback", "lines", "hang", "memory", "died")


class TooLong(BaseException):
    """The time is over; not an Exception, so that no reader takes it for damage."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong


def chosen(index: int, seed: int) -> tuple[Subject, random.Random]:
    """The kind of input number `index`, and what draws its mutation."""
    rng = random.Random(f"{seed} {index}")
    return rng.choices(SUBJECTS, [subject.weight for subject in SUBJECTS])[0], rng


def tried(index: int, seed: int, samples: Path, scratch: Path) -> dict[str, Any]:
    """What became of one input, whose files are put into `scratch`."""
    subject, rng = chosen(index, seed)
    shutil.rmtree(scratch, ignore_errors=True)
    changed = subject.mutate(subject.sample(samples), scratch, rng)
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        outcome, said = outcome_of(subject, scratch)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - began
    return {
        "index": index, "kind": subject.name, "changed": changed, "outcome": outcome,
        "said": said, "seconds": round(spent, 3),
    }  # fmt: skip


def outcome_of(subject: Subject, folder: Path) -> tuple[str, str]:
    """understood, refused; or a fault: traceback, lines, hang, memory. And what was said."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # numbers that overflow
            subject.use(folder)
    except ShiftaddError as error:
        said = str(error)
        one = bool(said) and said.isprintable() and len(said) < 2000
        return ("refused" if one else "lines"), said[:2000]
    except TooLong:
        return "hang", "".join(traceback.format_exc())[-3000:]
    except MemoryError:
        return "memory", "".join(traceback.format_exc())[-3000:]
    except BaseException:
        return "traceback", "".join(traceback.format_exc())[-3000:]
    return "understood", ""


def keep(out: Path, result: dict[str, Any], seed: int) -> None:
    """Keeps the files of a fault, and what was said, under failing/ in `out`."""
    folder = out / "failing" / f"{seed}-{result['index']}-{result['kind']}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(out / "scratch", folder, symlinks=True)
    (folder / "fault.txt").write_text(f"{result['outcome']}\n{result['said']}\n")


def main() -> None:
    """Arguments: folder, seed, first and end of the inputs."""
    out, seed, first, end = Path(sys.argv[1]), *map(int, sys.argv[2:])
    samples, scratch = out / "samples", out / "scratch"
    signal.signal(signal.SIGPROF, _too_long)
    for subject in SUBJECTS:  # what is imported and worked out once does not count
        shutil.rmtree(scratch, ignore_errors=True)
        subject.use(Path(shutil.copytree(subject.sample(samples), scratch)))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, resource.RLIM_INFINITY))
    print("ready", flush=True)
    for index in range(first, end):
        result = tried(index, seed, samples, scratch)
        if result["outcome"] in FAULTS:
            keep(out, result, seed)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
