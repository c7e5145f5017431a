"""Which column of a table is the label."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from pathlib import Path

from model.data.limits import DataError
from model.data.options import Options

LABELS = ("label", "labels", "class", "target", "y")
TELLS = 100
"""Different numbers above which a column of them is not taken for labels."""


def label_column(
    path: Path, names: Sequence[str], header: bool, body: Sequence[Sequence[str]],
    texts: Sequence[int], left: Container[int], options: Options,
) -> tuple[int, str]:  # fmt: skip
    """(column of the label, how it was found). texts: columns of texts. left: no candidates.

    It is asked for, called so, the only one of texts, or the one at either end that may be one.
    """
    if options.label is not None:
        return column_asked_for(path, "label", options.label, names), ""
    lower = [name.lower() for name in names]
    named = [n for n, name in enumerate(lower) if name in LABELS] if header else []
    if len(named) == 1:
        return named[0], ""
    way = "say which with label=, as in table.csv:label=first"
    if texts:
        way += ", and which are none with skip="
    said = ", ".join(repr(names[n]) for n in (named or texts)[:4])
    if named or len(texts) > 1:
        raise DataError(f"{path}: columns {said} may all be the label; {way}")
    if len(texts) == 1:
        if len({row[texts[0]] for row in body}) > max(2, len(body) / 2):
            raise DataError(f"{path}: column {said} holds texts that differ in most rows; {way}")
        said = said if header else names[texts[0]]
        return texts[0], f"column {said} is the label, as the only one of texts"
    inner = [n for n in range(len(names)) if n not in left]
    ends = [n for n in (inner[0], inner[-1]) if _may_be_label([row[n] for row in body])]
    if len(ends) != 1:
        which = "the first and the last column may both be" if ends else "no column looks like"
        raise DataError(f"{path}: {which} the label; {way}")
    return ends[0], f"the {'first' if ends[0] == inner[0] else 'last'} column is the label"


def column_asked_for(path: Path, option: str, name: str, names: Sequence[str]) -> int:
    """The column that the value of an option means: a name, a number from 1, first or last."""
    if name in names:
        if names.count(name) > 1:
            raise DataError(f"{path}: two columns are called {name!r}; give its number from 1")
        return names.index(name)
    if name in ("first", "last"):
        return 0 if name == "first" else len(names) - 1
    if re.fullmatch(r"[0-9]{1,5}", name) and 1 <= int(name) <= len(names):
        return int(name) - 1
    known = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    raise DataError(
        f"{path}: {option}={name}: no such column; give one of {known}, a number from 1 to "
        f"{len(names)}, first or last"
    )


def _may_be_label(cells: Sequence[str]) -> bool:
    """Whether a column holds a few whole numbers, each more than once on average."""
    different = set(cells)
    whole = all(re.fullmatch(r"\s*[+-]?[0-9]{1,5}(\.0*)?\s*", cell) for cell in different)
    return whole and 2 <= len(different) <= min(TELLS, len(cells) / 2)
