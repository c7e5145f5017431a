"""The page that a search leaves behind: report.html, self-contained, from the files of its run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.files import write
from search.report.build_page import page
from search.report.render import render
from search.results.results import RunError, SearchRun
from search.results.results_files import load, save_front

PAGE = "report.html"
COMPARISON = "comparison.html"


@dataclass(frozen=True)
class ReportPage:
    """A page that was written, and the runs on it."""

    page: Path
    runs: tuple[SearchRun, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"report": str(self.page), "runs": [_summary(run) for run in self.runs]}


def report(folders: Sequence[Path], *, out: Path | None = None) -> ReportPage:
    """Rebuilds front.json and front.csv of each run, and one page of them all.

    The page is `out`; by default report.html in the only folder, or comparison.html beside the
    first of several. Several runs are compared with the first one. The same files give the same
    page. Raises RunError, one line, where a folder is not a readable run.
    """
    runs = [load(folder) for folder in folders]
    _comparable(runs)
    path = out or _default(folders)
    if path.is_dir() or not path.parent.is_dir():
        raise RunError(f"{path}: --out must be a file in a folder that exists")
    html = render(page(runs, _command(runs, out)))
    for run in runs:
        save_front(run.folder, run.front)
    write(path, html)
    return ReportPage(path, tuple(runs))


def _default(folders: Sequence[Path]) -> Path:
    return folders[0] / PAGE if len(folders) == 1 else folders[0].resolve().parent / COMPARISON


def _command(runs: Sequence[SearchRun], out: Path | None) -> str:
    words = ["shiftadd", "report", *(run.place for run in runs)]
    return shlex.join([*words, "--out", os.fspath(out)] if out else words)


def _comparable(runs: Sequence[SearchRun]) -> None:
    """Accuracies of different data and costs of different boards do not compare."""
    first = runs[0]
    for run in runs[1:]:
        for what, mine, other in (
            ("data", first.request.get("data"), run.request.get("data")),
            ("device", first.device.get("name"), run.device.get("name")),
        ):
            if mine != other:
                raise RunError(
                    f"{run.folder}: its {what} is {other}, that of {first.folder} {mine}; "
                    f"compare runs of one data set and one board"
                )


def _summary(run: SearchRun) -> dict[str, Any]:
    return {
        "folder": os.fspath(run.folder), "state": run.state, "candidates": len(run.points),
        "finalists": len(run.finalists), "front": [f.row() for f in run.front],
    }  # fmt: skip
