"""The notebooks of examples/ lie there without outputs and run as a reader would run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.bench import simulators
from tests.support.paths import ROOT
from tests.support.simulator_runtime import lend_runtime

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=sys.argv[2])
nbformat.write(notebook, sys.argv[3])
"""
"""In a process of its own: warnings of Jupyter's are no errors of ours."""


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    read = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in read["cells"] if cell["cell_type"] == kind]


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first_network", "own_data", "search_and_front"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_a_run_is_kept(path: Path) -> None:
    for cell in cells(path, "code"):
        assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {})
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata.keys() == {"kernelspec", "language_info"}
    assert metadata["language_info"] == {"name": "python"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_its_results(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    lend_runtime(tmp_path / simulators.BUILD)
    done = tmp_path / "done.ipynb"
    ended = subprocess.run(
        [sys.executable, "-c", RUN, str(path), str(tmp_path), str(done)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    shown = [output for cell in cells(done, "code") for output in cell["outputs"]]
    assert any("<table>" in "".join(o.get("data", {}).get("text/html", "")) for o in shown)
    assert not [o for o in shown if o.get("name") == "stderr"], "nothing on stderr when quiet"
