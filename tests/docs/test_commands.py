"""Every command of the documents runs, and prints what they show."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest

from shiftadd.cli import VERBS
from tests.support.pages import PAGES, CommandBlock, agrees, blocks, run
from tests.support.paths import ROOT

COMMANDS = {page.name: blocks(page.read_text(encoding="utf-8")) for page in PAGES}
QUICK = {name: [c for c in each if not c.slow] for name, each in COMMANDS.items()}


def follow(commands: list[CommandBlock], folder: Path) -> None:
    printed = run(commands, folder)
    for command, output in zip(commands, printed, strict=True):
        if command.shown is not None:
            assert agrees(command.shown, output), f"{command.text}\nprints\n{output}"


@pytest.mark.parametrize("page", [name for name, each in QUICK.items() if each])
def test_commands_run_and_print_what_is_shown(page: str, tmp_path: Path) -> None:
    follow(QUICK[page], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", [n for n, each in COMMANDS.items() if any(c.slow for c in each)])
def test_long_commands_run_as_well(page: str, tmp_path: Path) -> None:
    follow(COMMANDS[page], tmp_path)


def test_pages_of_the_first_hour_have_commands() -> None:
    for page in ("tutorial", "own-table", "own-network", "own-space", "own-board"):
        assert COMMANDS[f"{page}.md"], page


@pytest.mark.parametrize("document", [*PAGES, ROOT / "README.md"], ids=lambda path: path.name)
def test_every_option_that_is_named_beside_a_verb_is_there(document: Path) -> None:
    """In all documents, also where a command has words that the reader must fill in."""
    options: dict[str, set[str]] = {}
    for verb in VERBS:
        parser = argparse.ArgumentParser()
        import_module(f"shiftadd.cli.{verb}").arguments(parser)
        options[verb] = set(parser._option_string_actions) | {"--json", "--verbose", "-v"}
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    for verb, rest in re.findall(r"\bshiftadd (\w+)((?: [^`\n|]*)?)", text):
        if verb not in options:
            continue
        words = re.findall(r"(?<!\S)--[a-z][a-z-]*", rest.split("#")[0])
        assert set(words) <= options[verb], f"{document.name}: shiftadd {verb} {rest}"


def test_ellipsis_stands_for_anything_and_nothing_else_does() -> None:
    assert agrees("a … c\n", "a  b\n c")
    assert agrees("… c", "a b c")
    assert not agrees("a … c", "a b d")
    assert not agrees("a", "a b")


def test_blocks_of_a_page() -> None:
    page = "```sh\necho 1\n```\n\n```text\n1\n```\n<!-- slow -->\n```python\nx\n```\n```toml\n```\n"
    first, second = blocks(page)
    assert (first.text, first.shown, first.slow) == ("echo 1\n", "1\n", False)
    assert second.slow
    assert blocks("<!-- not run: needs a board -->\n```sh\nfalse\n```\n") == []
