"""Two that want one folder: the second is told, or waits."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from model.errors import ShiftaddError
from model.lock import LOCK, FolderInUseError, folder_lock


def hold(folder: Path, ready: Any) -> None:
    with folder_lock(folder, "training"):
        ready.set()
        threading.Event().wait()


def test_the_second_is_told_what_runs_there_and_where(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with folder_lock(folder, "search"), pytest.raises(FolderInUseError) as told:
        with folder_lock(folder, "training"):
            raise AssertionError("two at a time")
    assert str(told.value) == (
        f"{folder}: another search (process {os.getpid()}) is running there; wait for it or give "
        "another folder"
    )
    assert isinstance(told.value, ShiftaddError)
    assert told.value.exit_status == 2
    with folder_lock(folder, "training"):
        assert (folder / LOCK).read_text() == f"{os.getpid()} training\n"


def test_a_lock_ends_with_the_process_that_held_it_however_that_ends(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    other = spawn.Process(target=hold, args=(tmp_path, ready), daemon=True)
    other.start()
    assert ready.wait(60)
    with (
        pytest.raises(FolderInUseError, match=rf"another training \(process {other.pid}\)"),
        folder_lock(tmp_path, "search"),
    ):
        pass
    other.kill()
    other.join()
    with folder_lock(tmp_path, "search"):
        pass


def test_one_that_waits_is_told_once_and_goes_on(tmp_path: Path) -> None:
    told: list[str] = []
    waiting, order = threading.Event(), []

    def hear(line: str) -> None:
        told.append(line)
        waiting.set()

    def wait() -> None:
        with folder_lock(tmp_path, "search", wait=hear):
            order.append("second")

    with folder_lock(tmp_path, "search"):
        second = threading.Thread(target=wait, daemon=True)
        second.start()
        assert waiting.wait(10)
        order.append("first")
    second.join(10)
    assert order == ["first", "second"]
    assert len(told) == 1
    assert re.search(r"another search \(process \d+\) is running there; waiting for it", told[0])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"12", b"x search", b"12 a\x1b[31m"])
def test_whatever_the_file_holds_the_line_stays_one(tmp_path: Path, content: bytes) -> None:
    with folder_lock(tmp_path, "search"):
        (tmp_path / LOCK).write_bytes(content)
        with (
            pytest.raises(FolderInUseError, match=": another process is running there"),
            folder_lock(tmp_path, "search"),
        ):
            pass


def test_parts_of_a_folder_are_held_apart(tmp_path: Path) -> None:
    with folder_lock(tmp_path, "search"), folder_lock(tmp_path, "training", name=".other"):
        pass
