"""Results of what compares networks: search, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from rich.table import Table

    from search.report.report import ReportPage
    from search.results.results import Finalist
    from search.results.search_result import SearchResult


@dataclass(frozen=True)
class SearchOutcome(Outcome):
    """A measured front. result: the run, its front, what was spent and what missed its limits.
    board: as asked for.

    >>> small = {"population": 8, "generations": 2, "trained": 4, "finalists": 2, "rounds": 1}
    >>> small |= {"probes": 0, "epochs": 1, "teacher_epochs": 1, "supernet_epochs": 1}
    >>> made = shiftadd.search(data="digits", board="up5k", out="again", quiet=True, **small)
    >>> made.network(made.front[0].key).is_dir(), made.page
    (True, PosixPath('again/report.html'))
    """

    result: SearchResult
    board: str

    @property
    def ok(self) -> bool:
        """Whether every finalist that was simulated equals its golden model, and one keeps to the
        limits."""
        return self.result.ok

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.result.run.folder

    @property
    def page(self) -> Path:
        """The HTML report."""
        return self.result.page

    @property
    def front(self) -> Sequence[Finalist]:
        """The networks that no other beats in everything, the most accurate first."""
        return self.result.front

    def as_dict(self) -> dict[str, Any]:
        return self.result.as_dict()

    def tables(self) -> Sequence[Table]:
        from search.report.search_table import table

        return (table(self.result),)

    def network(self, key: str) -> Path:
        """Folder of a network of the front, by its key."""
        return self.run / "finalists" / key / "network"

    def lines(self) -> Sequence[str]:
        networks = f"networks: {self.run / 'finalists'}"
        wrong = [
            f"{one.key}: {one.mismatches} of {one.images} images differ from its golden model"
            for one in self.result.run.finalists
            if one.mismatches
        ]
        from search.results.answer import chosen

        said = (*wrong, *self.result.advice)
        if not self.front:
            return (*said, f"report: {self.page}")
        folder = self.network((chosen(self.result.run) or self.front[0]).key).parent
        proof = ("simulate", folder / "network", "--board", self.board, "--build", folder)
        then = next_command(*proof, "--level", "all")
        return (*said, networks, f"report: {self.page}", then)


@dataclass(frozen=True)
class ReportOutcome(Outcome):
    """A page that was built again, and the runs on it.

    >>> made = shiftadd.report("search")
    >>> made.page, made.result.runs[0].state
    (PosixPath('search/report.html'), 'done')
    """

    result: ReportPage

    @property
    def page(self) -> Path:
        """Its file."""
        return self.result.page

    def as_dict(self) -> dict[str, Any]:
        return self.result.as_dict()

    def lines(self) -> Sequence[str]:
        each = (
            f"{run.folder}: {run.state}; {len(run.points)} points scored, "
            f"{len(run.finalists)} built, {len(run.front)} on the front"
            for run in self.result.runs
        )
        return (*each, f"report: {self.page}", f"next: open {self.page} in a browser")
