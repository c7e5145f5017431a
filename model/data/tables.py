"""Tables in text files, comma-separated or not: a column of labels, all others numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.data.columns import Layout, layout_of
from model.data.limits import DataError, check_bytes, size_of
from model.data.options import Options
from model.data.raw import Part, Raw, parted

TABLES = (".csv", ".tsv", ".data", ".txt")
PEEK = 400
"""Rows by which the form of a table is judged."""
_PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test",)}


@dataclass(frozen=True, eq=False)
class _Table:
    part: Part
    layout: Layout


def read_table(path: Path, options: Options) -> Raw:
    """One file: rows of features (N, F) as float64 with their labels."""
    table = _read(path, options, None)
    return Raw(table.part, notes=table.layout.notes, features=table.layout.features)


def read_table_folder(folder: Path, options: Options) -> Raw:
    """train.csv with test.csv or val.csv, of the same columns."""
    parts: dict[str, Part] = {}
    layout: Layout | None = None
    for name in _PARTS:
        path = table_file(folder, name)
        if path is not None:
            table = _read(path, options, layout)
            parts[name], layout = table.part, layout or table.layout
    train, test, notes = parted(folder, parts)
    assert layout is not None
    return Raw(train, test, notes=(*layout.notes, *notes), features=layout.features)


def table_file(folder: Path, part: str) -> Path | None:
    """The table of `part` (train, val, test) in a folder, or None."""
    names = (f"{word}{end}" for word in _PARTS[part] for end in TABLES)
    return next((folder / name for name in names if (folder / name).exists()), None)


def _read(path: Path, options: Options, layout: Layout | None) -> _Table:
    """A table in the layout of its training part, or in its own."""
    check_bytes(path, size_of(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = [line for _, line in zip(range(PEEK), file, strict=False)]
        own = layout_of(path, head, options)
        if layout is not None:
            own = replace(layout, header=own.header).checked(path, own)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _rows(path, file, own, options)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is no UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read as a table ({error}); save it again") from None


def _rows(path: Path, file: Iterator[str], layout: Layout, options: Options) -> _Table:
    rows: list[np.ndarray] = []
    labels: list[str] = []
    lines = csv.reader(file, delimiter=layout.delimiter, skipinitialspace=True)
    for number, cells in enumerate(lines, 1):
        cells = layout.cells(cells)
        if not cells or (number == 1 and layout.header):
            continue
        if len(cells) != layout.width:
            raise DataError(
                f"{path}: row {number} has {len(cells)} cells, others have {layout.width}; "
                "mend that row"
            )
        labels.append(cells[layout.label].strip())
        try:
            rows.append(np.array([layout.number(cells[at]) for at in layout.columns]))
        except ValueError:
            raise DataError(_no_number(path, number, cells, layout)) from None
        if len(rows) % 1000 == 1:
            check_bytes(path, len(rows) * 8 * layout.width)
    if not rows:
        raise DataError(f"{path}: no rows; a table has a line for each example")
    return _Table(Part(np.stack(rows), np.array(labels)), layout)


def _no_number(path: Path, number: int, cells: list[str], layout: Layout) -> str:
    for at, name in zip(layout.columns, layout.features, strict=True):
        try:
            layout.number(cells[at])
        except ValueError:
            what = f"{cells[at][:40]!r} is no number" if cells[at].strip() else "is missing"
            return (
                f"{path}: row {number}, column {name}: {what}; fill it, leave the row out, give "
                "0/1 columns for the values of a text, or leave the column out with skip="
            )
    raise AssertionError("one cell was no number")
