"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.files import copy, replacing, write


def test_written_and_copied(tmp_path: Path) -> None:
    write(tmp_path / "a", "text – ü")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "text – ü"
    assert copy(tmp_path / "a", tmp_path / "b") == tmp_path / "b"
    write(tmp_path / "a", b"\0\1")
    assert (tmp_path / "a").read_bytes() == b"\0\1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "a", "old")

    def half() -> None:
        with replacing(tmp_path / "a") as part:
            part.write_text("half of the n")
            raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        half()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"
