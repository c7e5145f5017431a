"""Machines that are not ours: without a compiler, a home, a place to write. One line each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import call
from tests.support.disks import small_disks
from tests.support.paths import DIGITS_HYBRID, ROOT

COMPILE = ("compile", str(DIGITS_HYBRID), "--board", "up5k")


def started(folder: Path, *words: str, **env: str | None) -> subprocess.CompletedProcess[str]:
    """The command in `folder`; a variable that is None is not set."""
    whole = os.environ | {"PYTHONPATH": str(ROOT)} | env
    return subprocess.run(
        [sys.executable, "-m", "shiftadd", *words],
        cwd=folder,
        env={name: value for name, value in whole.items() if value is not None},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )


def test_no_compiler(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ("simulate", DIGITS_HYBRID, "--board", "up5k", "--images", "1", "--json")
    status, out, err = call(capsys, *words)
    assert (status, out) == (2, "")
    line = "shiftadd: verilator: needs g++, make, perl; apt-get install g++ make perl\n"
    assert err == line


@pytest.mark.parametrize("home", [None, "/nonexistent", "/dev/null"])
def test_no_home(home: str | None, tmp_path: Path) -> None:
    """It is not needed: what is kept there is made anew."""
    report = ("boards",)
    done = started(tmp_path, *report, HOME=home, XDG_STATE_HOME=home, XDG_CACHE_HOME=home)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_folder_for_temporary_files_falls_back(tmp_path: Path) -> None:
    done = started(tmp_path, "boards", TMPDIR="/nonexistent")
    assert (done.returncode, done.stderr) == (0, "")


READ_ONLY = """
mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" || exit 99
exec {command}
"""


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (" ".join(COMPILE), "build"),
        ("report run", "run"),
        ("train digits_mlp --data digits --epochs 1", "runs"),
    ],
    ids=lambda part: part.split()[0],
)
def test_folder_that_cannot_be_written(words: str, named: str, tmp_path: Path) -> None:
    if not small_disks():
        pytest.skip("unshare and mount are not allowed here")
    from tests.support.report_run import make_run

    make_run(tmp_path / "run", count=20, finalists=2)
    command = f"{sys.executable} -m shiftadd {words}"
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", READ_ONLY.format(command=command)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    last = done.stderr.splitlines()[-1]
    assert last.endswith(": Read-only file system"), done.stderr
    assert last.startswith(f"shiftadd: {named}") or f"/{named}" in last
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
