"""The reader of .npy files: whatever a file says, it is an array or one line, and soon."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.host import npy
from model.errors import RequestError

HEADER = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }"


def file_of(header: str | bytes, numbers: bytes = bytes(12), version: int = 1) -> bytes:
    text = header.encode("latin-1") if isinstance(header, str) else header
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return npy.MAGIC + bytes([version, 0]) + size + text + numbers


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (file_of(HEADER, version=2) + b"\0", "13 bytes of numbers, (2, 3) of <i2 need 12"),
        (file_of(HEADER)[:-1], "11 bytes of numbers"),
        (file_of(HEADER.replace("(2, 3)", "(-2, -3)")), "(-2, -3): must be 1 to 4 sizes above 0"),
        (file_of(HEADER.replace("(2, 3)", "(True, 6)")), "must be 1 to 4 sizes above 0"),
        (file_of(HEADER.replace("(2, 3)", "()")), "must be 1 to 4 sizes above 0"),
        (file_of(HEADER.replace("(2, 3)", "(1, 1, 1, 1, 6)")), "must be 1 to 4 sizes above 0"),
        (file_of(HEADER.replace("(2, 3)", "(1 << 62, 9)")), "not a .npy file"),
        (file_of(HEADER.replace("(2, 3)", f"({10**18}, {10**18})")), "12 bytes of numbers"),
        (file_of(HEADER.replace("False", "True")), "must be in C order"),
        (file_of(HEADER.replace("False", "0")), "must be in C order"),
        (file_of(HEADER.replace("<i2", ">i2")), "must be integers, little-endian"),
        (file_of(HEADER.replace("<i2", "|O")), "must be integers, little-endian"),
        (file_of(HEADER.replace("<i2", "<f8")), "must be integers, little-endian"),
        (file_of(HEADER.replace("'<i2'", "[('a', '<i2')]")), "must be integers, little-endian"),
        (file_of("[" * 9000), "not a .npy file"),
        (file_of(" " * 10_001), "a header of 10,001 bytes, at most 10,000 are read"),
        (file_of(HEADER, version=3)[:10], "not a .npy file"),
        (npy.MAGIC, "not a .npy file"),
        (b"", "it does not start as one"),
    ],
)
def test_what_is_no_array_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(RequestError) as error:
        npy.load(tmp_path / "a.npy")
    assert reason in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(RequestError, match="it is no file"):
        npy.load(tmp_path / "pipe.npy")
    with (tmp_path / "huge.npy").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RequestError, match="1,099,511,627,776 bytes, at most"):
        npy.load(tmp_path / "huge.npy")


def test_parts_and_floats(tmp_path: Path) -> None:
    arrays = (np.arange(24.0).reshape(2, 3, 4), np.array([1.5, -2], np.float32), np.array([[7]]))
    for array in arrays:
        np.save(tmp_path / "a.npy", array)
        loaded = npy.load(tmp_path / "a.npy", floats=True)
        assert list(loaded) == array.tolist() == loaded.tolist()
        assert (len(loaded), loaded.shape) == (len(array), array.shape)


@given(st.data())
def test_mutated_files_are_arrays_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    raw = bytearray(buffer.getvalue())
    changes = st.lists(st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255)), max_size=4)
    for at, value in data.draw(changes):
        raw[at] = value
    path: Path = tmp_path_factory.getbasetemp() / "mutated.npy"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)) | st.just(len(raw)))])
    began, lines = time.monotonic(), 1
    try:
        array = npy.load(path, floats=data.draw(st.booleans()))
        assert np.array(array.tolist()).shape == array.shape
    except RequestError as error:
        lines = len(str(error).splitlines())
    assert lines == 1
    assert time.monotonic() - began < 1
