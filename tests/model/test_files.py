"""Files appear whole or not at all."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import torch

from model.checkpoint import pickled
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


def test_weights_that_find_no_room_are_an_error_of_the_system(tmp_path: Path) -> None:
    """torch by itself raises a RuntimeError that speaks of its archive."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large: '.*weights'"):
            write(tmp_path / "weights", pickled(torch.zeros(1000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
