"""What is asked of any verb, checked before anything is spent."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from model.errors import RequestError

BOARD = "ulx3s-25f"
"""The board of a request that names none."""
PathLike = str | os.PathLike[str]
"""A path, as people write it."""
HUGE = 10**9
"""More of anything than there is."""


@dataclass(frozen=True)
class Range:
    """Numbers that may be given. least and most are allowed; `above`: least itself is not."""

    least: float
    most: float = math.inf
    whole: bool = True
    above: bool = False

    def rule(self) -> str:
        """In words."""
        least, most = f"{self.least:.10g}", f"{self.most:.10g}"
        what = f"a {'whole' if self.whole else 'finite'} number"
        if self.most == math.inf or self.most >= HUGE:
            return f"{what}, {'more than' if self.above else 'at least'} {least}"
        first = "more than" if self.above else "from"
        return f"{what} {first} {least} {'and at most' if self.above else 'to'} {most}"

    def holds(self, value: object) -> bool:
        """Whether `value` is one of them."""
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number: Any = value  # comparisons of whole numbers are exact, however large
        low = number > self.least if self.above else number >= self.least
        return bool(low and number <= self.most and number != math.inf)


POSITIVE = Range(0, whole=False, above=True)
COUNT = Range(1, HUGE)
RANGES = {
    "time": Range(60, whole=False), "seed": Range(-(2**32) + 1, 2**32 - 1),
    "fps": POSITIVE, "mhz": Range(0, 10_000, whole=False, above=True),
    "port": Range(8, 1 << 16), "dsps": Range(0, HUGE), "luts": COUNT, "seeds": Range(1, 1000),
    "images": COUNT, "faults": COUNT, "count": Range(1, 100_000), "epochs": Range(1, 100_000),
    "batch": Range(2, 1_000_000), "rate": Range(0, 10, whole=False, above=True),
    "shift": Range(0, 1000), "smoothing": Range(0, 0.99, whole=False),
    "sparsity": Range(0, 100, whole=False),
    "min_accuracy": Range(0, 0.999, whole=False, above=True),
    "max_latency": POSITIVE, "max_luts": COUNT, "workers": Range(1, 1024),
    "population": Range(4, 1_000_000), "generations": Range(1, 1_000_000),
    "trained": Range(1, 100_000), "finalists": Range(1, 100_000), "rounds": Range(1, 1000),
    "probes": Range(0, 100_000), "supernet_epochs": Range(1, 100_000),
    "teacher_epochs": Range(1, 100_000), "rungs": Range(1, 10),
}  # fmt: skip
"""Of every number that a verb takes, by the name of the parameter."""


def check_numbers(**given: float | None) -> None:
    """RequestError for a number that its range does not hold; None is not given."""
    for name, value in given.items():
        if value is not None and not RANGES[name].holds(value):
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            option = f"--{name.replace('_', '-')}"
            raise RequestError(f"{option} {shown}: must be {RANGES[name].rule()}")


def check_folder(path: PathLike | None, option: str = "--out") -> Path | None:
    """`path`; RequestError where it cannot be a folder, as it or one above it is a file."""
    if path is None:
        return None
    folder = given_path(path, option)
    _check_above(folder, (folder, *folder.parents), option)
    return folder


def check_file(path: PathLike | None, option: str = "--out") -> Path | None:
    """`path`; RequestError where it cannot be a file, as it is a folder or its folder is none."""
    if path is None:
        return None
    file = given_path(path, option)
    if file.is_dir():
        raise RequestError(f"{option} {file}: it is a folder; name a file in it")
    _check_above(file, file.parents, option)
    return file


def _check_above(path: Path, folders: Sequence[Path], option: str) -> None:
    """RequestError unless the first of `folders` that is there is one."""
    there = next((folder for folder in folders if os.path.lexists(folder)), None)
    if there is not None and not there.is_dir():
        which = "it" if there == path else str(there)
        raise RequestError(f"{option} {path}: {which} is a file; name a folder, or a new one")


def given_path(path: PathLike, option: str) -> Path:
    """`path`, as a Path; RequestError for what cannot be one."""
    text = os.fspath(path)
    if not text or "\0" in text:
        raise RequestError(f"{option} {text!r}: must be a path; give the name of a file or folder")
    return Path(text)
