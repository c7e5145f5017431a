"""Temporary files and folders: gone at the end, and those of a killed process with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from model import temporary
from model.files import replace_folder, replacing, write
from model.temporary import NoTemporaryFolderError
from tests.support.paths import ROOT

HOLDS = """
import sys, time
from pathlib import Path
from model import temporary
here = Path(sys.argv[1])
with temporary.folder("building", here) as folder, temporary.file(".plan.json", here) as file:
    (folder / "half").write_text("half")
    file.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def holding(folder: Path) -> subprocess.Popen[str]:
    """Another process with a temporary folder and a file in `folder`."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    return other


def test_gone_at_the_end_also_of_an_error(tmp_path: Path) -> None:
    with temporary.folder("a", tmp_path) as folder, temporary.file("b", tmp_path) as file:
        (folder / "x").mkdir()
        file.write_text("text")
        assert {p.name[:2] for p in tmp_path.iterdir()} == {"a-", "b-"}
    with pytest.raises(KeyboardInterrupt), temporary.folder("c", tmp_path):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with temporary.folder() as folder:
        assert folder.parent == Path(tempfile.gettempdir())
        assert folder.stat().st_mode & 0o777 == 0o700


def test_renamed_folder_stays(tmp_path: Path) -> None:
    with temporary.folder("a", tmp_path) as folder:
        (folder / "x").touch()
        folder.rename(tmp_path / "final")
    assert [p.name for p in tmp_path.rglob("*")] == ["final", "x"]


def test_what_a_killed_process_left_goes_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    (tmp_path / "building-mine").mkdir()
    killed, living = holding(tmp_path), holding(tmp_path)
    killed.kill()
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 5
    write(tmp_path / "file", "text")
    assert len(list(tmp_path.iterdir())) == 4, "a folder and a file of the living one"
    living.send_signal(signal.SIGKILL)
    living.communicate()
    temporary._swept.clear()
    write(tmp_path / "file", "text")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["building-mine", "file"]


def test_all_go_at_once_when_a_process_ends(tmp_path: Path) -> None:
    """Also under blocks that never end, as when a signal comes."""
    block = temporary.folder("a", tmp_path)
    folder = block.__enter__()
    (folder / "x" / "y").mkdir(parents=True)
    temporary.remove_all()
    assert list(tmp_path.iterdir()) == []
    block.__exit__(None, None, None)


def test_no_place_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(NoTemporaryFolderError, match="set TMPDIR to one that can"):
        temporary.folder().__enter__()


def test_error_names_the_file_that_could_not_be_written(tmp_path: Path) -> None:
    def half() -> None:
        with replacing(tmp_path / "plan.json") as part:
            part.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*plan.json'"):
        half()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exchanges", [True, False])
def test_folder_is_replaced(
    tmp_path: Path, exchanges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr("model.files._exchanged", lambda one, other: False)
    for text in ("old", "new"):
        with temporary.folder(".net", tmp_path) as scratch:
            fresh = scratch / "new"
            fresh.mkdir()
            (fresh / "file").write_text(text)
            replace_folder(fresh, tmp_path / "net")
    assert [p.name for p in tmp_path.iterdir()] == ["net"]
    assert (tmp_path / "net" / "file").read_text() == "new"


def test_only_this_module_makes_temporary_names() -> None:
    """Others would leave theirs behind when a signal ends the process."""
    rooms = ("shiftadd", "search", "sim", "gen", "rtl", "model")
    using = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if any(
            w in path.read_text(encoding="utf-8")
            for w in ("mkdtemp", "TemporaryD", "NamedTemporary")
        )
    }
    assert using == set()
