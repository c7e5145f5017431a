"""shiftadd arch: built-in architectures, one in detail, and files of new ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import shiftadd
from model import arch as arches
from model import counts, zoo
from tests.support.command_line import call
from tests.support.tiny_network import ARCHITECTURE, save_bars


def test_list_has_every_name_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "arch", "list")
    assert (status, err) == (0, "")
    assert all(f"\n{name} " in out for name in zoo.NAMES)
    assert max(map(len, out.splitlines())) <= 80
    status, out, _ = call(capsys, "arch", "list", "--data", "wine", "--json")
    rows = json.loads(out)["architectures"]
    assert {row["name"] for row in rows} >= {"table_hybrid", "table_small"}
    assert all(row["shape"] == [1, 1, 13] and row["classes"] == 3 for row in rows)


def test_show_tells_each_block(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "arch", "show", "digits_hybrid")
    assert (status, err) == (0, "")
    cells = [line.split() for line in out.splitlines()]
    assert ["conv", "shift", "16", "3", "1", "1,728", "4", "4×4×16", "6"] in cells
    assert ["maxpool", "2", "2", "2×2×16"] in cells
    assert ["dense", "mult", "10", "640", "6", "1×1×10", "10"] in cells
    assert "next: shiftadd train digits_hybrid --data D" in out
    status, out, _ = call(capsys, "arch", "show", "digits_hybrid", "--json")
    shown = json.loads(out)
    assert shown["weights"] == 3304 == counts.weights_of(zoo.load("digits_hybrid"))
    content = {key: value for key, value in shown.items() if key not in ("weights", "file")}
    assert arches.from_json(json.dumps(content)) == zoo.load("digits_hybrid")


def test_new_is_a_file_that_trains(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data, file = save_bars(tmp_path / "bars.npz"), tmp_path / "new/a.json"
    words = ("--data", data, "--kind", "add", "--out", file)
    status, out, err = call(capsys, "arch", "new", "image_small", *words)
    assert (status, err) == (0, "")
    assert out.endswith(f"next: shiftadd train {file} --data {data}\n")
    made = zoo.load(file)
    assert (made.name, made.shape, made.classes) == ("image_small_add", (6, 6, 1), 2)
    assert "add" in set(arches.kinds_used(made)) <= {"add", "mult"}
    status, _, err = call(capsys, "arch", "new", *words)
    assert status == 2
    assert f"--out {file}: is there already; remove it, or name a new file" in err
    trained = shiftadd.train(file, data=data, epochs=1, out=tmp_path / "run", quiet=True)
    assert trained.network.classes == ("flat", "tall")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("show",), "arch show: needs a name"),
        (("new",), "arch new: needs --data"),
        (("new", "--data", "digits"), "arch new: needs --out"),
        (("new", "x", "--data", "digits", "--out", "o"), "arch new x: must be a built-in"),
        (("list", "digits_mlp"), "arch list: has no use for a name"),
        (("show", "digits_mlp", "--out", "o"), "arch show: has no use for --out"),
        (("show", "nowhere"), "nowhere: neither a file nor built in"),
        (("show", "image_hybrd"), "neither a file nor built in; did you mean image_hybrid? "),
        (("new", "--data", "digits", "--out", "."), "--out .: it is a folder"),
        (("new", "--data", "digits", "--kind", "xor", "--out", "o"), "xor"),
        (("draw",), "invalid choice: 'draw'"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_wrong_requests_are_one_line(
    words: tuple[str, ...],
    line: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = call(capsys, "arch", *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert line in err
    assert not list(tmp_path.iterdir())


def test_ends_are_fitted_to_the_data_on_request(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of files and Architectures; built-in ones are always."""
    data = save_bars(tmp_path / "bars.npz")
    other = replace(ARCHITECTURE, name="other", shape=(8, 8, 1), input_bits=5)
    file = arches.save(other, tmp_path / "other.json")
    words = ("train", file, "--data", data, "--epochs", 1, "--out", tmp_path / "run")
    status, _, err = call(capsys, *words)
    assert status == 2
    assert "--fit-classes" in err
    status, out, _ = call(capsys, *words, "--fit-classes", "--json")
    assert status == 0
    assert json.loads(out)["weights"] == 72
    made = shiftadd.train(
        other, data=data, epochs=1, out=tmp_path / "object", fit_classes=True, quiet=True
    )
    assert made.network.input.shape == (6, 6, 1)
    built_in = shiftadd.train("digits_mlp", data=data, epochs=1, out=tmp_path / "b", quiet=True)
    assert built_in.network.classes == ("flat", "tall")
