"""Output that cannot be written, or not as it is: what is said, the status, and what was made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.report_run import make_run

LOST = "shiftadd: stdout: {}; the work is done, what it says is lost\n"
FULL = LOST.format("No space left on device")
CLOSED = LOST.format("Bad file descriptor")


def shell(
    folder: Path, words: str, redirection: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """`shiftadd WORDS REDIRECTION` in a shell in `folder`."""
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m shiftadd {words} {redirection}"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        encoding="latin-1",
        timeout=120,
    )


@pytest.mark.parametrize(
    ("redirection", "said"),
    [
        (">/dev/full", FULL),
        (">&-", CLOSED),
        ("> >(exec <&-; sleep 2)", ""),
        (">/dev/null 2>&-", ""),
        (">/dev/null 2>/dev/full", ""),
        ("<&- >&- 2>&-", ""),
    ],
)
def test_finished_work_is_no_failure_as_it_could_not_be_said(
    tmp_path: Path, redirection: str, said: str
) -> None:
    make_run(tmp_path / "run", count=20, finalists=2)
    done = shell(tmp_path, "report run", redirection)
    assert (done.returncode, done.stderr) == (0, said)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")


@pytest.mark.parametrize("words", ["boards", "boards --json", "--help", "compile --help"])
def test_output_that_is_all_there_is_must_be_written(tmp_path: Path, words: str) -> None:
    done = shell(tmp_path, words, ">/dev/full")
    assert (done.returncode, done.stderr) == (1, FULL)


def test_a_file_that_was_made_is_no_failure(tmp_path: Path) -> None:
    done = shell(tmp_path, "arch new --data digits --out mine.json", ">/dev/full")
    assert (done.returncode, done.stderr) == (0, FULL)
    assert json.loads((tmp_path / "mine.json").read_text())["shape"] == [8, 8, 1]


def test_nothing_is_lost_where_nothing_was_to_be_said(tmp_path: Path) -> None:
    done = shell(tmp_path, "report nowhere", ">&-")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("shiftadd: nowhere: no run.json; give a folder")


def test_json_that_is_lost_is_a_failure(tmp_path: Path) -> None:
    make_run(tmp_path / "run", count=20, finalists=2)
    done = shell(tmp_path, "report run --json", ">/dev/full")
    assert (done.returncode, done.stderr) == (1, FULL)
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_error_that_cannot_be_said_keeps_its_status(tmp_path: Path, redirection: str) -> None:
    done = shell(tmp_path, "compile nowhere --json", redirection)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
    assert shell(tmp_path, "nonsense", redirection).returncode == 2


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda env: "-".join(env.values()),
)
def test_plain_output_shows_what_it_can(tmp_path: Path, env: dict[str, str]) -> None:
    program = tmp_path / "signs.py"
    program.write_text(
        "import codecs, sys\n"
        "from rich.table import Table\n"
        "from gen.boards import table\n"
        "import shiftadd\n"
        "def signs(rows):\n"
        "    made = Table('3 × 4 – 5 │ µs → α ü \\udcfc', title='…')\n"
        "    made.add_row('≤ −1')\n"
        "    return made\n"
        "table.table = signs\n"
        "sys.exit(shiftadd.main(['boards']))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, program],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode("latin-1")
    times = "×" if env.get("PYTHONIOENCODING") == "latin-1" else "x"
    assert f"3 {times} 4 - 5 | " in shown
    assert "<= -1" in shown
    assert "\\udcfc" in shown
    for words in ("search --help", "compile nöwhere"):
        told = shell(tmp_path, words, **env)
        assert told.returncode == (2 if "nöwhere" in words else 0)
        assert "Traceback" not in told.stderr


def test_closed_descriptors_are_not_given_to_files(tmp_path: Path) -> None:
    """Or a file that is written would get what a tool prints."""
    make_run(tmp_path / "run", count=20, finalists=2)
    shell(tmp_path, "report run --json -v", "<&- >&- 2>&-")
    for file in tmp_path.rglob("*.json"):
        json.loads(file.read_text(encoding="utf-8"))
