"""What a path cannot say about its data, written behind it: `letter.csv:test=4000,label=first`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from model.data.limits import DataError

_TAIL = re.compile(r"[a-z]+=[^,=]*(,[a-z]+=[^,=]*)*")
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "bar": "|"}


@dataclass(frozen=True)
class Options:
    """test: the last so many rows, in the order of the file, are the test part. label: the column
    of a CSV file, by name, by number from 1, or `first` or `last`. skip: columns that are no
    features, with + between. header: whether its first line
    names the columns. delimiter: between its cells. shape: (height, width, channels) of images
    that are written as rows. declared: the range of values, `range=0..4095`.
    """

    test: int | None = None
    label: str | None = None
    skip: tuple[str, ...] = ()
    header: bool | None = None
    delimiter: str | None = None
    shape: tuple[int, int, int] | None = None
    declared: tuple[float, float] | None = None

    @property
    def of_columns(self) -> list[str]:
        """Names of those that say something about the columns of a text file."""
        names = ("label", "skip", "header", "delimiter")
        return [f"{name}=" for name in names if getattr(self, name) not in (None, ())]


def parse(text: str) -> tuple[Path, str, Options]:
    """(path, what is behind it as text, options). An existing path is taken as it is."""
    path = Path(text)
    base, colon, tail = text.rpartition(":")
    if path.exists() or not colon or not base or not _TAIL.fullmatch(tail):
        return path, "", Options()
    pairs = [pair.split("=", 1) for pair in tail.split(",")]
    names = [name for name, _ in pairs]
    for name in names:
        if name not in _READ or names.count(name) > 1:
            raise DataError(
                f"{tail}: option {name!r}{' twice' if name in _READ else ''}; "
                f"known are {', '.join(_READ)}, each once"
            )
    values = {_READ[name][0]: _READ[name][1](value) for name, value in pairs}
    return Path(base), tail, Options(**values)  # type: ignore[arg-type] # each by its own reader


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:12]) <= 10**9):
        raise DataError(f"test={text}: must be the number of last rows that are the test part")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("yes", "no"):
        raise DataError(f"header={text}: must be yes or no")
    return text == "yes"


def _delimiter(text: str) -> str:
    if text not in _DELIMITERS and text not in _DELIMITERS.values():
        raise DataError(f"delimiter={text}: must be one of {', '.join(_DELIMITERS)}")
    return _DELIMITERS.get(text, text)


def _label(text: str) -> str:
    if not text:
        raise DataError("label=: must be a column's name, its number from 1, first or last")
    return text


def _shape(text: str) -> tuple[int, int, int]:
    sides = text.lower().split("x")
    ok = len(sides) in (2, 3) and all(re.fullmatch(r"[1-9][0-9]{0,3}", side) for side in sides)
    if not ok:
        raise DataError(f"shape={text}: must be height x width, as 28x28, or with channels, 8x8x3")
    height, width, channels = (int(side) for side in (*sides, "1")[:3])
    return height, width, channels


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in text.split(".."))
    except ValueError:
        low, high = math.nan, math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DataError(f"range={text}: must be two numbers, the smaller first, as 0..4095")
    return low, high


_READ = {
    "test": ("test", _count),
    "label": ("label", _label),
    "skip": ("skip", lambda text: tuple(text.split("+"))),
    "header": ("header", _flag),
    "delimiter": ("delimiter", _delimiter),
    "shape": ("shape", _shape),
    "range": ("declared", _range),
}
