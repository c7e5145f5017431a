"""What the columns of a table are: delimiter, header, which one is the label."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from model.data.limits import DataError
from model.data.options import Options

DELIMITERS = ",;\t|"
LABELS = ("label", "labels", "class", "target", "y")
NUMBERING = ("id", "index", "", "unnamed: 0", "row")
MOST_COLUMNS = 16384
TELLS = 100
"""Different values above which a column of numbers is not taken for labels."""


@dataclass(frozen=True)
class Layout:
    """width: cells a row. label, columns: where the label and the features are, from 0."""

    delimiter: str
    header: bool
    width: int
    label: int
    columns: tuple[int, ...]
    features: tuple[str, ...]
    notes: tuple[str, ...]

    def cells(self, cells: list[str]) -> list[str]:
        """A row without what follows a delimiter at its end or makes up an empty line."""
        if self.delimiter == " ":
            return [cell for cell in cells if cell]
        return [] if not any(cell.strip() for cell in cells) else cells

    def checked(self, path: Path, own: Layout) -> Layout:
        """Itself for the file `path` of the layout `own`; DataError where they differ."""
        if own.width != self.width or own.delimiter != self.delimiter:
            raise DataError(
                f"{path}: {own.width} columns, the training part has {self.width}; "
                "both need the same ones, labels too"
            )
        if own.header and self.header and own.features != self.features:
            names = zip(own.features, self.features, strict=False)
            other = next((pair for pair in names if pair[0] != pair[1]), ("none", "one more"))
            raise DataError(
                f"{path}: column {other[0]!r} stands where the training part has {other[1]!r}; "
                "both need the same columns"
            )
        return self


def layout_of(path: Path, lines: Sequence[str], options: Options) -> Layout:
    """The layout of a table by its first lines. Raises DataError."""
    delimiter = options.delimiter or _delimiter(lines)
    rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    if delimiter == " ":
        rows = [[cell for cell in row if cell] for row in rows]
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise DataError(f"{path}: no rows; a table has a line for each example")
    width = len(rows[0])
    if not 2 <= width <= MOST_COLUMNS:
        raise DataError(
            f"{path}: {width} columns; must be 2 to {MOST_COLUMNS}, one of them the label, "
            "with comma, semicolon, tab, bar or space between"
        )
    body = [row for row in rows[1:] if len(row) == width]
    texts = [n for n in range(width) if any(not _number(row[n]) for row in body)]
    header = options.header if options.header is not None else _header(rows[0], body, texts)
    names = [cell.strip() for cell in rows[0]] if header else [str(n + 1) for n in range(width)]
    body = body if header else [row for row in rows if len(row) == width]
    label, how = _label(path, names, header, body, texts, options)
    numbering = [
        n for n in range(width) if n != label and header and _numbers_rows(names[n], n, body)
    ]
    columns = tuple(n for n in range(width) if n not in (label, *numbering))
    if not columns:
        raise DataError(f"{path}: no columns beside the label; features are needed")
    notes = [how] + [f"column {names[n]!r} numbers the rows and was left out" for n in numbering]
    features = tuple(_printable(names[n]) for n in columns)
    return Layout(delimiter, header, width, label, columns, features, tuple(notes))


def _delimiter(lines: Sequence[str]) -> str:
    """The one that gives most rows the same number of cells, more than one; else a space."""
    sample = [line for line in lines[:50] if line.strip()]
    best, most = " ", 0
    for mark in DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(sample, delimiter=mark))
        width, rows = counts.most_common(1)[0] if counts else (1, 0)
        if width > 1 and rows > most:
            best, most = mark, rows
    return best


def _header(first: Sequence[str], body: Sequence[Sequence[str]], texts: Sequence[int]) -> bool:
    """Whether the first row names columns: a text above numbers, a label's name, or 1, 2, 3, …"""
    if not body:
        return False
    if any(not _number(cell) for n, cell in enumerate(first) if n not in texts):
        return True
    if any(cell.strip().lower() in LABELS for cell in first):
        return True
    fresh = all(first[n] not in {row[n] for row in body} for n in texts)
    numbers = [cell.strip() for n, cell in enumerate(first) if n not in texts]
    counted = [[str(n + start) for n in range(len(numbers))] for start in (0, 1)]
    return len(numbers) > 1 and fresh and numbers in counted


def _label(
    path: Path, names: Sequence[str], header: bool, body: Sequence[Sequence[str]],
    texts: Sequence[int], options: Options,
) -> tuple[int, str]:  # fmt: skip
    """(column of the label, how it was found)."""
    if options.label is not None:
        return _asked(path, options.label, names), ""
    lower = [name.lower() for name in names]
    named = [n for n, name in enumerate(lower) if name in LABELS] if header else []
    if len(named) == 1:
        return named[0], ""
    way = "say which with label=, as in table.csv:label=first"
    said = [repr(names[n]) for n in (named or texts)[:4]]
    if named or len(texts) > 1:
        raise DataError(f"{path}: columns {', '.join(said)} may all be the label; {way}")
    if len(texts) == 1:
        return texts[0], f"column {names[texts[0]]!r} is the label, as the only one of texts"
    ends = [n for n in (0, len(names) - 1) if _may_be_label([row[n] for row in body])]
    if len(ends) != 1:
        which = "the first and the last column may both be" if ends else "no column looks like"
        raise DataError(f"{path}: {which} the label; {way}")
    return ends[0], f"the {'last' if ends[0] else 'first'} column is the label"


def _asked(path: Path, label: str, names: Sequence[str]) -> int:
    if label in names:
        if names.count(label) > 1:
            raise DataError(f"{path}: two columns are called {label!r}; give its number from 1")
        return names.index(label)
    if label in ("first", "last"):
        return 0 if label == "first" else len(names) - 1
    if re.fullmatch(r"[0-9]{1,5}", label) and 1 <= int(label) <= len(names):
        return int(label) - 1
    known = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    raise DataError(
        f"{path}: label={label}: no such column; give one of {known}, a number from 1 to "
        f"{len(names)}, first or last"
    )


def _may_be_label(cells: Sequence[str]) -> bool:
    """Whether a column holds a few whole numbers, each more than once on average."""
    different = set(cells)
    whole = all(re.fullmatch(r"\s*[+-]?[0-9]{1,5}(\.0*)?\s*", cell) for cell in different)
    return whole and 2 <= len(different) <= min(TELLS, len(cells) / 2)


def _numbers_rows(name: str, at: int, body: Sequence[Sequence[str]]) -> bool:
    """Whether a column counts the rows: called id or the like, and rising by one throughout."""
    if name.lower() not in NUMBERING or len(body) < 2:
        return False
    cells = [row[at].strip() for row in body]
    if not all(re.fullmatch("[0-9]{1,9}", cell) for cell in cells):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(cells))


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()  # a gap, which is said when the row is read
    return True


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)[:100]
