"""Numbers as tables write them: with a decimal point, or with a decimal comma."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from model.data.limits import DataError

_NUMBER = r"\s*[+-]?[0-9]*{}[0-9]+([eE][+-]?[0-9]+)?\s*"
_COMMA, _POINT = re.compile(_NUMBER.format(",")), re.compile(_NUMBER.format(r"\."))


def decimal_commas(path: Path, rows: Sequence[Sequence[str]]) -> bool:
    """Whether numbers have decimal commas, as most of Europe writes them. Both kinds: DataError."""
    cells = [cell for row in rows for cell in row]
    comma = next((cell.strip() for cell in cells if _COMMA.fullmatch(cell)), "")
    point = next((cell.strip() for cell in cells if _POINT.fullmatch(cell)), "")
    if comma and point:
        raise DataError(
            f"{path}: numbers with a decimal comma, as {comma}, and with a point, as {point}; "
            "save it with one of them, and without marks between thousands"
        )
    return bool(comma)


def pointed(cell: str) -> str:
    """A cell, with a point where it is a number with a decimal comma."""
    return cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell


def number(cell: str, commas: bool) -> float:
    """Of a cell. Raises ValueError, for a point among decimal commas too: it parts thousands."""
    if commas and "." in cell:
        raise ValueError(cell)
    return float(pointed(cell) if commas else cell)


def is_number(cell: str) -> bool:
    """Whether a cell, pointed, is a number, or a gap, which is said when the row is read."""
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True
