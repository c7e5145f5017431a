"""A folder where a verb keeps a file, or a file where it keeps a folder: one line that names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from model import arch
from tests.support.command_line import call
from tests.support.report_run import make_run
from tests.support.tiny_network import ARCHITECTURE, TinyNetwork, train_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyNetwork:
    """A network and `out`, a folder in which everything was made once; `run`, that of a search."""
    folder = tmp_path_factory.mktemp("way")
    made = train_tiny(folder, epochs=1)
    arch.save(ARCHITECTURE, folder / "arch.json")
    make_run(folder / "search", count=40, finalists=2)
    return made


VERBS: dict[str, Callable[[TinyNetwork, Path], tuple[object, ...]]] = {
    "train": lambda tiny, out: (
        "train", tiny.data.parent / "arch.json", "--data", tiny.data, "--epochs", 1, "--force",
        "--out", out,
    ),
    "compile": lambda tiny, out: ("compile", tiny.net, "--board", "up5k", "--out", out),
    "deploy": lambda tiny, out: (
        "deploy", tiny.net, "--board", "icebreaker", "--virtual", "--no-load", "--out", out,
    ),
    "report": lambda tiny, out: ("report", out),
}  # fmt: skip
KEPT = {
    "train": ("log.jsonl", "checkpoint.pt", "arch.json", "network"),
    "compile": ("plan.json", "report.json", "shiftadd_top.v", "shiftadd_top.bin"),
    "deploy": ("deploy-virtual",),
    "report": ("report.html", "front.json", "front.csv"),
}
"""What each verb keeps in its folder."""


@pytest.mark.parametrize(
    ("verb", "name"), [(verb, name) for verb, names in KEPT.items() for name in names]
)
def test_what_is_in_the_way_is_named(
    verb: str,
    name: str,
    tiny: TinyNetwork,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tiny.data.parent)  # builds are kept there
    out = tmp_path / "out"
    if verb == "report":
        shutil.copytree(tiny.data.parent / "search", out)
    out.mkdir(exist_ok=True)
    if name in ("network", "deploy-virtual"):
        (out / name).write_text("mine")
    else:
        (out / name / "mine").mkdir(parents=True)
    status, said, err = call(capsys, *VERBS[verb](tiny, out), "--json")
    line = err.splitlines()[-1]
    assert (status, said) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert line.startswith(f"shiftadd: {out / name}"), line
    kept = out / name if (out / name).is_file() else out / name / "mine"
    assert kept.exists(), "what was there is kept"
