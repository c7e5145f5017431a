"""What the columns of a table are: delimiter, header, which one is the label."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.data.label_column import LABELS, column_asked_for, label_column
from model.data.limits import DataError
from model.data.numerals import decimal_commas, is_number, number, pointed
from model.data.options import Options

DELIMITERS = ";\t|,"
"""The comma last, which decimal commas between others of them look like."""
NUMBERING = ("id", "index", "", "unnamed: 0", "row")
MOST_COLUMNS = 16384


@dataclass(frozen=True)
class Layout:
    """width: cells a row. label, columns: where the label and the features are, from 0. commas:
    numbers have decimal commas.
    """

    delimiter: str
    commas: bool
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

    def number(self, cell: str) -> float:
        """Of a cell. Raises ValueError, among others for a point where numbers have commas."""
        return number(cell, self.commas)

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
    rows = _cells(lines, delimiter)
    if not rows:
        raise DataError(f"{path}: no rows; a table has a line for each example")
    commas = delimiter != "," and decimal_commas(path, rows)
    if commas:
        rows = [[pointed(cell) for cell in row] for row in rows]
    width = len(rows[min(1, len(rows) - 1)])
    while len(rows[0]) > width and not rows[0][-1].strip():
        rows[0].pop()  # a delimiter at the end of the header alone
    if not 2 <= width <= MOST_COLUMNS:
        raise DataError(
            f"{path}: {width} columns; must be 2 to {MOST_COLUMNS}, one of them the label, "
            "with comma, semicolon, tab, bar or space between"
        )
    body = [row for row in rows[1:] if len(row) == width]
    texts = [n for n in range(width) if any(not is_number(row[n]) for row in body)]
    header = options.header if options.header is not None else _header(rows[0], body, texts)
    if header and len(rows[0]) != width:
        raise DataError(
            f"{path}: {len(rows[0])} names of columns above rows of {width} cells; mend the header"
        )
    names = [cell.strip() for cell in rows[0]] if header else [str(n + 1) for n in range(width)]
    body = body if header else [row for row in rows if len(row) == width]
    left, notes = _left_out(path, names, header, body, options)
    texts = [n for n in texts if n not in left]
    label, how = label_column(path, names, header, body, texts, left, options)
    columns = tuple(n for n in range(width) if n != label and n not in left)
    if not columns:
        raise DataError(f"{path}: no columns beside the label; features are needed")
    features = tuple(_printable(names[n]) for n in columns)
    if commas:
        notes.append("decimal commas were read as points")
    return Layout(delimiter, commas, header, width, label, columns, features, (how, *notes))


def _cells(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Rows of cells that are not all empty."""
    rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    if delimiter == " ":
        rows = [[cell for cell in row if cell] for row in rows]
    return [row for row in rows if any(cell.strip() for cell in row)]


def _left_out(
    path: Path, names: Sequence[str], header: bool, body: Sequence[Sequence[str]], options: Options
) -> tuple[set[int], list[str]]:
    """(columns that are no features, notes): asked for, empty ones, and those that number rows."""
    left = {column_asked_for(path, "skip", name, names) for name in options.skip}
    notes = [f"column {names[n]!r} was left out" for n in sorted(left)]
    for n, name in enumerate(names):
        if n in left or options.label in (name, str(n + 1)):
            continue
        if not (header and name) and all(not row[n].strip() for row in body):
            left.add(n)
            notes.append(f"column {n + 1} is empty and was left out")
        elif header and _numbers_rows(name, n, body):
            left.add(n)
            notes.append(f"column {name!r} numbers the rows and was left out")
    return left, notes


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
    if any(not is_number(cell) for n, cell in enumerate(first) if n not in texts):
        return True
    if any(cell.strip().lower() in LABELS for cell in first):
        return True
    fresh = all(first[n] not in {row[n] for row in body} for n in texts)
    numbers = [cell.strip() for n, cell in enumerate(first) if n not in texts]
    counted = [[str(n + start) for n in range(len(numbers))] for start in (0, 1)]
    return len(numbers) > 1 and fresh and numbers in counted


def _numbers_rows(name: str, at: int, body: Sequence[Sequence[str]]) -> bool:
    """Whether a column says which row it is: called id or the like, all whole and different."""
    cells = [row[at].strip() for row in body]
    if name.lower() not in NUMBERING or len(cells) < 2 or len(set(cells)) < len(cells):
        return False
    return all(re.fullmatch("[0-9]{1,18}", cell) for cell in cells)


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)[:100]
