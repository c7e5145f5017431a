"""Files and folders that a user names: missing, of the wrong type, damaged. One line for each."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from model import arch, zoo
from tests.support.command_line import call
from tests.support.paths import DIGITS_HYBRID as NET

BYTES = bytes(range(128, 256)) * 4
"""No text, no JSON, no TOML, no image, no archive."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a damaged file of every sort, in which commands run."""
    monkeypatch.chdir(tmp_path)
    for name in ("bytes", "bytes.npz", "images/a/x.png", "images/b/y.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(BYTES)
    Path("deep.json").write_text("[" * 100_000)
    Path("list.json").write_text("[1, 2]")
    arch.save(zoo.load("digits_mlp"), "own.json")
    Path("empty").mkdir()
    Path("idx").mkdir()
    torn = gzip.compress(BYTES)[:10] + BYTES
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        Path(f"idx/{part}-ubyte.gz").write_bytes(torn)
    label = np.arange(20) % 10
    image = np.random.default_rng(0).integers(0, 256, (20, 5, 6), np.uint8)
    np.savez("other.npz", x_train=image, y_train=label, x_test=image, y_test=label)
    return tmp_path


PLACES = ("nowhere", "bytes", "empty")
NETS = {
    "nowhere": "nowhere: no such network; `shiftadd train` makes one",
    "bytes": "bytes: not a network, which is a folder with",
    "empty": "empty: not a network, which is a folder with",
}
DATA = {
    "nowhere": "nowhere: no such data set; give",
    "bytes": "bytes: no data set of a form that is read; give",
    "empty": "empty: 0 folders with images; a data set needs two or more",
    "bytes.npz": "bytes.npz: cannot be read as .npz",
    "images": "images/a/x.png: cannot be read as an image",
    "idx": "idx/train-images-idx3-ubyte.gz: cannot be read",
}
DIGITS = ("--data", "digits")
OUT = "--out bytes: it is a file; name a folder"
CASES = [
    *((("train", "digits_mlp", "--data", data), line) for data, line in DATA.items()),
    *((("search", "--data", data), line) for data, line in DATA.items()),
    *((("simulate", NET, "--data", data), line) for data, line in DATA.items()),
    *((("deploy", NET, "--virtual", "--data", data), line) for data, line in DATA.items()),
    *((("compile", net), line) for net, line in NETS.items()),
    *((("simulate", net), line) for net, line in NETS.items()),
    *((("deploy", net), line) for net, line in NETS.items()),
    *((("train", "digits_mlp", *DIGITS, "--teacher", net), line) for net, line in NETS.items()),
    *((("simulate", NET, "--build", p), f"{p}: no plan.json; name the folder") for p in PLACES),
    *(
        (("deploy", NET, "--virtual", "--build", p), f"{p}: no plan.json; name the folder")
        for p in PLACES
    ),
    *((("deploy", NET, "--virtual", "--bundle", p), f"{p}: no manifest.json") for p in PLACES),
    *((("report", p), f"{p}: no run.json; give a folder that") for p in PLACES),
    *(
        (("compile", NET, "--plan", p), "compile the network again")
        for p in (*PLACES, "deep.json", "list.json")
    ),
    (("train", "bytes", *DIGITS), "bytes: not JSON"),
    (("train", "empty", *DIGITS), "empty: neither a file nor built in"),
    (("train", "deep.json", *DIGITS), "deep.json: nested deeper than 32"),
    (("train", "list.json", *DIGITS), "list.json: not of format"),
    (("search", *DIGITS, "--space", "bytes"), "bytes: not TOML"),
    (("search", *DIGITS, "--space", "empty"), "empty: neither a file nor a built-in"),
    (("search", *DIGITS, "--supernet", "bytes"), "--supernet bytes: it is a file"),
    (("simulate", NET, "--waves", "bytes/x.vcd"), "--waves bytes/x.vcd: bytes is a file"),
    (("simulate", NET, "--data", "other.npz"), "other: images of 5 × 6 × 1 values of 8 bits; this"),
    (("deploy", NET, "--virtual", "--data", "other.npz"), "other: images of 5 × 6 × 1 values of 8"),
    (("train", "own.json", "--data", "other.npz"), "shape (8, 8, 1) does not suit other"),
    (("train", "fashion_hybrid", "--data", "other.npz"), "kernel 2 is larger than what is left"),
    (("train", "digits_mlp", *DIGITS, "--out", "bytes"), OUT),
    (("compile", NET, "--out", "bytes"), OUT),
    (("compile", NET, "--out", "bytes/in"), "--out bytes/in: bytes is a file"),
    (("deploy", NET, "--virtual", "--out", "bytes"), OUT),
    (("search", *DIGITS, "--out", "bytes"), OUT),
    (("demo", "--out", "bytes"), OUT),
    (("characterise", "--board", "bytes"), "unknown device or board 'bytes'"),
    (("characterise", "--count", 0), "--count 0: must be a whole number from 1"),
]


@pytest.mark.parametrize(("words", "line"), CASES, ids=lambda part: " ".join(map(str, part[:4])))
def test_wrong_file_is_one_line(
    here: Path, words: tuple[object, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = call(capsys, *words, "--json")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert line in err
    assert not (here / "runs").exists(), "nothing half-written"
