"""Results in a notebook and at the end of a command."""

from __future__ import annotations

import shlex
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

import shiftadd
from gen.boards import boards as known_boards
from shiftadd.outcome import Outcome, next_command, table_as_html
from shiftadd.results import __all__ as names


def test_table_becomes_html_with_all_texts_escaped() -> None:
    table = Table(title="<i>", caption="a & b")
    table.add_column("<script>")
    table.add_column("n", justify="right")
    table.add_row("x[/bold]", Text("<td>"))
    assert table_as_html(table) == (
        "<p><b>&lt;i&gt;</b></p><table>"
        '<thead><tr><th style="text-align:left">&lt;script&gt;</th>'
        '<th style="text-align:right">n</th></tr></thead>'
        '<tbody><tr><td style="text-align:left">x[/bold]</td>'
        '<td style="text-align:right">&lt;td&gt;</td></tr></tbody></table><p>a &amp; b</p>'
    )


def test_every_verb_has_a_frozen_result() -> None:
    kinds: list[type] = [getattr(shiftadd.results, name) for name in names]
    results = [kind for kind in kinds if issubclass(kind, Outcome) and kind is not Outcome]
    assert len(results) == len(shiftadd.cli.VERBS)
    for kind in results:
        assert vars(kind)["__dataclass_params__"].frozen
        assert kind.__doc__ is not None
        assert not kind.__doc__.startswith(f"{kind.__name__}("), "made by dataclass"
        assert vars(kind).keys() >= {"as_dict", "lines"}


def test_boards_are_a_table_with_a_next_command() -> None:
    made = shiftadd.boards()
    assert made.ok
    page: Any = made._repr_html_()
    assert page.count("<tr>") == 1 + len(known_boards())
    assert made.lines()[-1].startswith("next: shiftadd deploy NET --board ")
    with pytest.raises(FrozenInstanceError):
        made.boards = ()  # type: ignore[misc]


def test_next_command_can_be_pasted() -> None:
    line = next_command("compile", "my nets/$(x)", "--board", "up5k")
    assert line == "next: shiftadd compile 'my nets/$(x)' --board up5k"
    assert shlex.split(line)[3] == "my nets/$(x)"
