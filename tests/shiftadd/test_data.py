"""shiftadd data: what was understood of a data set, in sentences, JSON and a picture."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import shiftadd
from tests.support.command_line import call


def unbalanced(path: Path) -> Path:
    """48 grey images of two classes, of one of them five times as many; names look like markup."""
    label = np.array(([0] * 5 + [1]) * 8)
    image = np.random.default_rng(0).integers(0, 256, (48, 4, 5)).astype(np.uint8)
    names = np.array(["x[/bold]", "<b>:smile:"])
    np.savez(path, x=image, y=label, class_names=names, allow_pickle=False)
    return path


def test_says_what_was_understood(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data, sheet = unbalanced(tmp_path / "a b.npz"), tmp_path / "new/sheet.png"
    status, out, err = call(capsys, "data", data, "--out", sheet)
    assert (status, err) == (0, "")
    assert "a b: 38 images to train and 10 to test, 4 × 5 pixels, grey, in 2 classes\n" in out
    assert "│ x[/bold]   │       32 │    8 │" in out
    assert "│ <b>:smile: │        6 │    2 │" in out
    assert "unbalanced: 32 images of class x[/bold], 6 of class <b>:smile:" in out
    assert "in training, images are moved by up to 1 pixel\n" in out
    assert f"examples: {sheet}\n" in out
    assert out.endswith(f"next: shiftadd train image_hybrid --data '{data}'\n")
    assert Image.open(io.BytesIO(sheet.read_bytes())).format == "PNG"


def test_says_it_in_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = unbalanced(tmp_path / "a.npz")
    status, out, err = call(capsys, "data", data, "--json")
    assert (status, err) == (0, "")
    said = json.loads(out)
    counts = [{"name": "x[/bold]", "train": 32, "test": 8}]
    assert said["classes"][:1] == counts
    assert (said["shape"], said["bits"], said["unbalanced"]) == ([4, 5, 1], 8, True)
    assert said["augmentation"] == {"shift": 1, "flips": False}
    assert (said["source"], said["sheet"]) == (str(data), None)
    assert said == json.loads(json.dumps(shiftadd.data(data).as_dict()))


def test_notebook_shows_it_escaped(tmp_path: Path) -> None:
    page = shiftadd.data(unbalanced(tmp_path / "a.npz"))._repr_html_()
    assert '<td style="text-align:left">&lt;b&gt;:smile:</td>' in page
    assert "<b>:smile:" not in page
    assert "<p>in training, images are moved" in page


def test_arrays_are_told_as_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).random((60, 7))
    told = shiftadd.data((x, np.arange(60) % 3))
    assert told.summary.table
    assert told.augmentation.flips is False
    assert not any(line.startswith("next:") for line in told.lines()), "no command finds them"
    assert not list(tmp_path.iterdir()), "looking leaves nothing behind"


def test_sheet_in_place_of_a_folder_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, err = call(capsys, "data", "digits", "--out", tmp_path)
    assert (status, out) == (2, "")
    assert err == f"shiftadd: --out {tmp_path}: it is a folder; name a file in it\n"
