"""Whatever the bytes: frames and descriptions of boards survive the line, and damage is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gen.host import npy
from gen.host.link_protocol import BoardInfo, frame, stuff, unframe, unstuff
from tests.support.strategies import BOARD_INFOS

PARTS = (b"\0", b"\1", b"\1" * 253, b"\1" * 254, b"\xff" * 255)
BODIES = st.lists(st.sampled_from(PARTS) | st.binary(max_size=9), max_size=6).map(b"".join)
"""Zeros, and runs without any that are about as long as a block of COBS."""
OPS = st.integers(0, 255)


@given(BODIES)
def test_stuffing_and_back(body: bytes) -> None:
    line = stuff(body)
    assert 0 not in line
    assert len(line) <= len(body) + len(body) // 254 + 1
    assert unstuff(line) == body


@given(OPS, OPS, BODIES)
def test_frame_and_back(ident: int, op: int, payload: bytes) -> None:
    line = frame(ident, op, payload)
    assert line.endswith(b"\0")
    assert unframe(line[:-1]) == (ident, op, payload)


@given(OPS, OPS, BODIES, st.data())
def test_flipped_bit_is_seen(ident: int, op: int, payload: bytes, data: st.DataObject) -> None:
    line = bytearray(frame(ident, op, payload))
    bit = data.draw(st.integers(0, 8 * len(line) - 9))
    line[bit // 8] ^= 1 << bit % 8
    assert not any(unframe(part) for part in bytes(line).split(b"\0"))


@given(st.binary())
def test_noise_is_no_frame_or_one_that_frames_again(noise: bytes) -> None:
    parsed = unframe(noise)
    assert parsed is None or unframe(frame(*parsed)[:-1]) == parsed


@given(BOARD_INFOS)
def test_board_info_and_back(info: BoardInfo) -> None:
    assert BoardInfo.unpack(info.pack()) == info


@given(
    arrays.arrays(
        arrays.integer_dtypes(endianness="<") | arrays.unsigned_integer_dtypes(endianness="<"),
        arrays.array_shapes(max_dims=4, max_side=5),
    )
)
def test_npy_is_read_as_numpy_reads_it(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "array.npy"
    np.save(path, array)
    loaded = npy.load(path)
    assert loaded.tolist() == array.tolist()
    assert loaded.shape == np.array(loaded.tolist()).shape == array.shape
