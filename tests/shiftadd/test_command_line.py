"""The command line as a stranger uses it: one line on what is wrong, nothing half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gen.support import tools
from model import store
from shiftadd.cli import VERBS
from tests.support.command_line import call
from tests.support.deploy_cases import flip
from tests.support.paths import DIGITS_HYBRID as NET


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (
            ("compile", NET, "--board", "ulx3s-26f"),
            2,
            "unknown device or board 'ulx3s-26f': did you mean",
        ),
        (("compile", NET, "--board", "up5k", "--luts", 300), 1, "more than the 300 that may be"),
        (("compile", NET, "--board", "up5k", "--fps", 1e9), 1, "ask for fewer images a second"),
        (
            ("compile", NET, "--board", "up5k", "--fps", 0),
            2,
            "--fps 0: must be a finite",
        ),
        (
            ("compile", NET, "--board", "up5k", "--seeds", 0),
            2,
            "--seeds 0: must be a whole number",
        ),
        (("compile", NET, "--plan", "p", "--luts", 3), 2, "--luts: p is planned already; drop"),
        (("compile", NET, "--plan", "p"), 2, "p: cannot be read (No such file"),
        (("compile", "nowhere"), 2, "nowhere: no such network"),
        (("simulate", "nowhere"), 2, "nowhere: no such network"),
        (("simulate", NET, "--level", "gates"), 2, "--level gates"),
        (("simulate", NET, "--images", 0), 2, "--images 0: must be a whole number, at least 1"),
        (("simulate", NET, "--images", 9999), 2, "--images 9999: digits has 1 to 360"),
        (("simulate", NET, "--data", "mnist"), 2, "mnist: no such data set; give digits"),
        (("simulate", NET, "--build", "nowhere"), 2, "nowhere: no plan.json"),
        (("simulate", NET, "--waves", "x.png"), 2, "must end in .fst, .vcd or .saif"),
        (("train", "nowhere", "--data", "digits"), 2, "nowhere: neither a file nor built in"),
        (("train", "digits_hybrid", "--data", "nowhere"), 2, "nowhere: no such data set"),
        (
            ("train", "digits_hybrid", "--data", "digits", "--epochs", 0),
            2,
            "--epochs 0: must be",
        ),
        (("fly",), 2, "invalid choice: 'fly'"),
        ((), 2, "required: VERB"),
    ],
)
def test_wrong_requests(
    words: tuple[object, ...],
    status: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, out, err = call(capsys, *words)
    assert (got, out) == (status, "")
    assert line in err
    assert "Traceback" not in err
    left = [p for p in tmp_path.rglob("*") if p.is_file() and "cache" not in p.parts]
    assert not left, "nothing half-written"


@pytest.mark.parametrize("name", ["network.json", "weights.safetensors"])
def test_damaged_network_is_refused(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(NET, tmp_path / "net")
    flip(tmp_path / "net" / name)
    status, _, err = call(capsys, "compile", tmp_path / "net", "--board", "up5k")
    assert status == 2
    assert len(err.strip().splitlines()) == 1


def test_trains_and_says_so_in_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("train", "digits_mlp", "--data", "digits", "--epochs", 3, "--out", tmp_path, "--json")
    status, out, err = call(capsys, *words)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["accuracy"]["integer"] > 0.5
    network = store.load(found["network"])
    assert store.content_hash(network) == found["network_hash"]
    assert found["weights"] == network.weight_count


def test_boards_are_listed_for_people_and_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "boards", "--json")
    assert (status, err) == (0, "")
    rows = {row["board"]: row for row in json.loads(out)["boards"]}
    assert rows["icebreaker"]["lut"] == 5280
    assert rows["icebreaker"]["load"] == "openFPGALoader -b ice40_generic --write-flash"
    status, out, err = call(capsys, "boards")
    assert (status, err) == (0, "")
    assert all(f"\n{name} " in out for name in rows)
    assert "…" not in out, "fits 80 columns"


def test_reader_that_has_had_enough() -> None:
    """As `shiftadd boards --json | head` does, when it is quick."""
    words = [sys.executable, "-c", "import shiftadd; shiftadd.command()", "boards", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.close()
        assert run.stderr is not None
        assert (run.stderr.read(), run.wait()) == (b"", 1)


def test_missing_tool_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tools.PACKAGES, "yosys", "no-such-package")
    status, out, err = call(capsys, "compile", NET, "--board", "up5k", "--out", tmp_path)
    assert (status, out) == (1, "")
    assert err.strip().splitlines()[-1] == (
        "shiftadd: yosys is missing: pip install no-such-package"
    )


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        status, out, _ = call(capsys, verb, "--help")
        assert status == 0
        assert f"Example: shiftadd {verb}" in out
