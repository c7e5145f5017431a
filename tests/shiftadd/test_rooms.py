"""A stranger's model.py in the folder where Python starts: one line that names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shiftadd.rooms import ROOMS
from tests.support.paths import ROOT

SCRIPT = "import shiftadd, sys; sys.exit(shiftadd.command())"


def started(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python, started in `folder`, which is where it looks first, with shiftadd behind it."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def line(place: Path, room: str) -> str:
    return (
        f"{place} hides the package {room!r} of shiftadd; rename it, or start Python in another "
        "folder"
    )


@pytest.mark.parametrize("room", ROOMS)
def test_file_that_hides_a_package_is_named(room: str, tmp_path: Path) -> None:
    (tmp_path / f"{room}.py").write_text("1 / 0")
    run = started(tmp_path, "-c", "import shiftadd")
    last = run.stderr.splitlines()[-1]
    assert (run.returncode, run.stdout) == (1, "")
    assert last == f"shiftadd.rooms.HiddenPackageError: {line(tmp_path / f'{room}.py', room)}"


def test_folder_that_hides_a_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "__init__.py").touch()
    program = "try:\n    import shiftadd\nexcept ImportError as error:\n    print(error)"
    run = started(tmp_path, "-c", program)
    assert (run.stdout, run.stderr) == (line(tmp_path / "gen", "gen") + "\n", "")


def test_module_that_was_imported_before_is_named(tmp_path: Path) -> None:
    """As in a notebook: `from model import Net`, and shiftadd some cells later."""
    (tmp_path / "model.py").write_text("class Net: ...")
    run = started(tmp_path, "-c", "from model import Net\nimport shiftadd")
    assert line(tmp_path / "model.py", "model") in run.stderr


def test_command_says_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "sim.py").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "shiftadd").write_text(f"import sys; sys.path[0] = '.'\n{SCRIPT}")
    for words in (("-m", "shiftadd", "boards"), ("bin/shiftadd", "boards")):
        run = started(tmp_path, *words)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr == f"shiftadd: {line(tmp_path / 'sim.py', 'sim')}\n"


def test_other_files_hide_nothing(tmp_path: Path) -> None:
    for name in ("models.py", "data.py", "train.py", "report.py"):
        (tmp_path / name).write_text("1 / 0")
    (tmp_path / "model").mkdir()  # without __init__.py, a package further on goes before it
    run = started(tmp_path, "-c", "import shiftadd; print(shiftadd.ShiftaddError.exit_status)")
    assert (run.stdout, run.stderr) == ("2\n", "")
