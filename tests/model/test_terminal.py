"""Names of others are printed as they are, wherever rich draws."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.table import Table

from model.epoch_log import progress_bar
from model.terminal import console, literal
from shiftadd.console import progress, show
from tests.support.paths import ROOT

NAMES = ("x[/bold]", "[red]y", ":smile:", "[/]", "a\\[b]", "[link=file:///]z[/link]")
ROOMS = ("shiftadd", "search", "sim", "gen", "model")
READS_MARKUP = {"Console", "TextColumn", "from_markup", "Status", "Prompt", "Panel"}
"""Of rich, unless it is told not to."""


@pytest.mark.parametrize("name", NAMES)
def test_names_are_literal_in_tables_and_text(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(title=name, caption=name)
    table.add_column(name)
    table.add_row(name)
    show(table, name)
    assert capsys.readouterr().out.count(name) == 5


@pytest.mark.parametrize("name", NAMES)
def test_names_are_literal_in_progress(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with progress(False).status() as say:
        say(name)
    with progress(False).bar(name) as tick:
        tick(1, 2)
    assert capsys.readouterr().err.count(name) == 1
    with progress_bar(False, transient=False) as bars:
        bars.add_task(name, total=1, note=name)
    assert capsys.readouterr().err.count(name) == 2
    console(stderr=True).print(name)
    assert name in capsys.readouterr().err
    assert literal("{task.description}").markup is False


def calls(path: Path) -> Iterator[str]:
    """Names that a module calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            yield called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def test_no_other_module_makes_a_console() -> None:
    modules = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    makers = {p.relative_to(ROOT).as_posix() for p in modules if READS_MARKUP & set(calls(p))}
    assert makers == {"model/terminal.py"}
