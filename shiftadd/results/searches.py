"""Results of what compares networks: search, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class SearchOutcome(Outcome):
    """A measured front. run: its folder. page: the HTML report. evaluations: points scored.
    finalists: points built. front: their figures. rounds: errors of the predictions. seconds: by
    step. board: as asked for. ok: whether every finalist that was simulated equals its golden
    model."""

    run: Path
    page: Path
    evaluations: int
    finalists: int
    front: tuple[Mapping[str, Any], ...]
    rounds: tuple[Mapping[str, Any], ...]
    seconds: Mapping[str, float]
    board: str
    ok: bool = True

    @classmethod
    def of(cls, made: Mapping[str, Any], ok: bool, board: str) -> SearchOutcome:
        """From what `search.run.search.search` returns."""
        rest = {name: made[name] for name in ("evaluations", "finalists", "seconds")}
        front, rounds = tuple(made["front"]), tuple(made["rounds"])
        run, page = Path(made["run"]), Path(made["report"])
        return cls(run=run, page=page, front=front, rounds=rounds, board=board, ok=ok, **rest)

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.run), "report": str(self.page), "evaluations": self.evaluations,
            "finalists": self.finalists, "front": list(self.front), "rounds": list(self.rounds),
            "seconds": dict(self.seconds),
        }  # fmt: skip

    def tables(self) -> Sequence[Table]:
        from search.report.search_table import table

        return (table(self.as_dict()),)

    def network(self, key: str) -> Path:
        """Folder of a network of the front, by its key."""
        return self.run / "finalists" / key / "network"

    def lines(self) -> Sequence[str]:
        networks = f"networks: {self.run / 'finalists'}"
        wrong = [] if self.ok else ["a finalist differs from its golden model: see the report"]
        if not self.front:
            return (*wrong, f"report: {self.page}")
        best = max(self.front, key=lambda row: float(row["validation"]))
        folder = self.network(str(best["key"])).parent
        proof = ("simulate", folder / "network", "--board", self.board, "--build", folder)
        then = next_command(*proof, "--level", "all")
        return (*wrong, networks, f"report: {self.page}", then)


@dataclass(frozen=True)
class ReportOutcome(Outcome):
    """A page that was built again. page: its file. runs: folder, state and front of each."""

    page: Path
    runs: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        return {"report": str(self.page), "runs": list(self.runs)}

    def lines(self) -> Sequence[str]:
        each = (
            f"{run['folder']}: {run['state']}; {run['candidates']} points scored, "
            f"{run['finalists']} built, {len(run['front'])} on the front"
            for run in self.runs
        )
        return (*each, f"report: {self.page}", f"next: open {self.page} in a browser")
