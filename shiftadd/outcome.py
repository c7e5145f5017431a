"""What every verb returns: its figures for JSON, and the same for people, in a terminal or a
notebook."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


class Outcome:
    """What a verb did. `ok`: whether its checks held.

    `tables` and `lines` are for people: figures, and what was done with the next command last.
    Notebooks show both. Texts are literal everywhere, never markup.

    >>> made = shiftadd.boards()
    >>> isinstance(made, shiftadd.Outcome), made.ok, list(made.as_dict())
    (True, True, ['boards'])
    """

    @property
    def ok(self) -> bool:
        return True

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        raise NotImplementedError

    def tables(self) -> Sequence[Table]:
        """Figures, as rich draws them."""
        return ()

    def lines(self) -> Sequence[str]:
        """What was done and where it is, a sentence each; last the next command."""
        return ()

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>" for line in self.lines())
        return "".join(map(table_as_html, self.tables())) + lines


def table_as_html(table: Table) -> str:
    """A rich table as an HTML table: title, column headings, cells, caption."""
    sides = ["left" if c.justify == "default" else c.justify for c in table.columns]
    rows = zip(*(column.cells for column in table.columns), strict=True)
    head = _row("th", (column.header for column in table.columns), sides)
    body = "".join(_row("td", row, sides) for row in rows)
    title = f"<p><b>{escape(str(table.title))}</b></p>" if table.title else ""
    caption = f"<p>{escape(str(table.caption))}</p>" if table.caption else ""
    return f"{title}<table><thead>{head}</thead><tbody>{body}</tbody></table>{caption}"


def _row(tag: str, cells: Iterable[object], sides: Sequence[str]) -> str:
    drawn = zip(cells, sides, strict=True)
    return "<tr>" + "".join(
        f'<{tag} style="text-align:{side}">{escape(str(cell))}</{tag}>' for cell, side in drawn
    ) + "</tr>"  # fmt: skip


def words(*each: object) -> str:
    """A command line that works when pasted."""
    return shlex.join(map(str, each))


def next_command(*each: object) -> str:
    """The line that ends a verb: what to run next."""
    return f"next: {words('shiftadd', *each)}"
