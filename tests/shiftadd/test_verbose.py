"""-v: what is run, where its log lies, and what was built before."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from gen.boards import table
from gen.support import tools
from gen.support.cache import Cache
from shiftadd.cli import VERBS, parser
from tests.support.command_line import NEEDED, call

SCRIPT = "read_verilog a.v\nstat\n"


def built(root: Path) -> None:
    """A step that runs yosys, unless it was built before."""

    def make(folder: Path) -> float:
        (folder / "s.ys").write_text(SCRIPT)
        (folder / "a.v").write_text("module a(output o); assign o = 1; endmodule\n")
        log = folder / "yosys.log"
        return tools.run("yosys", ["s.ys"], step="count", folder=folder, log=log, timeout=60)

    Cache(root).step("counted", {}, make)


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache of a verb `boards` that builds something."""
    row = table.row

    def building(board: Any) -> Any:
        if board.name == "icebreaker":
            built(tmp_path)
        return row(board)

    monkeypatch.setattr(table, "row", building)
    return tmp_path


def test_tools_logs_and_what_was_built_before_are_logged(
    boards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, "boards", "--json", "-v")
    assert status == 0
    assert out.startswith("{")
    (place,) = boards.iterdir()
    command, log, took, kept = err.splitlines()
    assert command.endswith("shiftadd.tools: count: yosys s.ys")
    assert "shiftadd.tools: count: log: " in log
    assert log.endswith("/yosys.log")
    assert "shiftadd.tools: count: yosys took " in took
    assert kept.endswith(f"shiftadd.cache: counted: kept, with its logs, in {place}")
    assert (place / "yosys.log").is_file()
    status, _, err = call(capsys, "boards", "--json", "--verbose")
    (again,) = err.splitlines()
    assert again.endswith(f"shiftadd.cache: counted: built before, in {place}")


def test_nothing_is_logged_unless_asked(boards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "boards", "--json", "-v")
    status, _, err = call(capsys, "boards", "--json")
    assert (status, err) == (0, "")
    assert not logging.getLogger("shiftadd").handlers


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_it(verb: str) -> None:
    words = [verb, *NEEDED.get(verb, [])]
    assert vars(parser().parse_args([*words, "-v"]))["verbose"]
    assert not vars(parser().parse_args(words))["verbose"]
