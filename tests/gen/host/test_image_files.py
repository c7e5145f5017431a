"""Raw numbers of tables, scaled by the host program as the training data were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.host.image_files import read_images
from gen.host.manifest import Manifest
from gen.host.scaling import RawScaling
from model.errors import RequestError
from tests.support.fake_board import INFO

TABLE = replace(INFO, height=1, width=1, channels=3, input_bits=8)
SCALING = RawScaling((1.0, -2.0, 0.5), (0.5, 0.25, -1.0))
BUNDLE = Manifest(
    "n", "d", ("a", "b"), "b", "d", "u", "l", "t", TABLE, "0" * 64, 1, 1, None, SCALING, {}
)
ROWS = np.array([[1.0, -2.0, 0.5], [2.26, 1e9, 0.0], [-1e300, 0.1, -250.5]])
"""The first is the offset; then half-way cases and what is clipped."""
WANT = [bytes([0, 0, 0]), bytes([3, 255, 0]), bytes([0, 8, 251])]
FLOATS = st.floats(-1e30, 1e30)


def test_raw_numbers_are_scaled_and_clipped(tmp_path: Path) -> None:
    for kind in ("<f8", "<f4"):
        np.save(tmp_path / "a.npy", np.clip(ROWS, -1e30, 1e30).astype(kind))
        assert read_images(tmp_path / "a.npy", BUNDLE) == WANT
    np.save(tmp_path / "a.npy", ROWS[0])
    assert read_images(tmp_path / "a.npy", BUNDLE) == WANT[:1]
    lines = "\n".join(",".join(map(repr, row)) for row in ROWS.tolist())
    (tmp_path / "a.csv").write_text("\ufeffwidth, height,depth\n" + lines + "\n\n")
    assert read_images(tmp_path / "a.csv", BUNDLE) == WANT
    (tmp_path / "b.CSV").write_text("1,2,255\n")
    assert read_images(tmp_path / "b.CSV", BUNDLE, integers=True) == [bytes([1, 2, 255])]
    plain = replace(BUNDLE, input=None)
    assert read_images(tmp_path / "b.CSV", plain) == [bytes([1, 2, 255])]


@given(st.lists(st.tuples(FLOATS, FLOATS, FLOATS), min_size=1))
def test_scaling_is_that_of_the_training_data(rows: list[tuple[float, float, float]]) -> None:
    with np.errstate(over="ignore"):
        scaled = (np.array(rows) - SCALING.offset) / np.array(SCALING.step)
    want = np.clip(np.round(scaled), 0, 255).astype(int).tolist()
    assert [SCALING.apply(row, TABLE) for row in rows] == want


@pytest.mark.parametrize(
    ("text", "integers", "words"),
    [
        ("1,2\n", False, "a.csv: line 1: must be 3 floats or integers"),
        ("a,b,c\n1,2,x\n", False, "a.csv: line 2: must be 3 floats or integers"),
        ("a,b,c\n", False, "a.csv: no line of numbers"),
        ("", False, "a.csv: no line of numbers"),
        ("1,nan,2\n", False, "a.csv: value nan at 1: must be a finite number"),
        ("1,2,1e999\n", False, "a.csv: value inf at 2: must be a finite number"),
        ("1,2,256\n", True, "a.csv: pixel 256: must be 0 to 255"),
        ("1,2,0.5\n3,4,5\n6,7,0.5\n", True, "a.csv: line 3: must be 3 integers"),
        ("\x00" * 9, False, "a.csv: (line contains NUL|not a .csv|line 1|no line)"),
        ("\udc80\udc81", False, "a.csv: not a .csv file that can be read"),
        ("9" * 200_000, False, "a.csv: not a .csv file|a.csv: line 1"),
    ],
)
def test_tables_that_are_refused(text: str, integers: bool, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RequestError, match=words) as error:
        read_images(tmp_path / "a.csv", BUNDLE, integers=integers)
    assert "\n" not in str(error.value)


def test_pictures_of_other_modes_are_refused(tmp_path: Path) -> None:
    from PIL import Image

    grey = replace(BUNDLE, info=replace(INFO, height=2, width=2, channels=1, input_bits=8))
    grey = replace(grey, input=None)
    path = tmp_path / "a.png"
    for mode in ("LA", "RGBA", "I;16"):
        Image.new(mode, (2, 2)).save(path)
        with pytest.raises(RequestError, match=f"pixels of mode {mode}: must be grey or RGB"):
            read_images(path, grey)
    Image.new("P", (2, 2)).save(path, transparency=0)
    with pytest.raises(RequestError, match="without transparency; convert it first"):
        read_images(path, grey)
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n")
    with pytest.raises(RequestError, match="cannot be read as an image"):
        read_images(path, grey)
    with pytest.raises(RequestError, match="this network does not take bytes of a picture"):
        read_images(path, replace(grey, input=RawScaling((0.0,), (1.0,))))
