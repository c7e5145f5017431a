"""What a search did, for whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.support.promises import missed
from search.results.answer import answer
from search.results.results import Finalist, SearchRun


@dataclass(frozen=True)
class SearchResult:
    """A search that has ended. run: as read back from its folder. page: the HTML report. rounds: a
    row of errors each. seconds: by step."""

    run: SearchRun
    page: Path
    evaluations: int
    rounds: tuple[Mapping[str, Any], ...]
    seconds: Mapping[str, float]

    @property
    def front(self) -> list[Finalist]:
        """Verified, and within the limits; most accurate first."""
        return self.run.front

    @property
    def missed(self) -> list[Finalist]:
        """Finalists that do not keep to the limits as measured."""
        return [one for one in self.run.finalists if one.beyond]

    @property
    def ok(self) -> bool:
        """Whether every finalist that was simulated equals its golden model, and where limits were
        asked for, one keeps to them."""
        equal = not any(one.mismatches for one in self.run.finalists)
        return equal and bool(self.front or not self.missed)

    @property
    def advice(self) -> tuple[str, ...]:
        """Lines on what was asked for and not reached."""
        if self.front or not self.missed:
            return ()
        nearest = min(self.missed, key=lambda one: (len(missed(one.promises)), one.key))
        said = ", ".join(map(str, missed(nearest.promises)))
        return (
            f"no finalist keeps to the limits as measured; nearest is {nearest.key}: {said}; "
            "search with more --rounds, which learn from that, or ask for less",
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": str(self.run.folder), "report": str(self.page),
            "evaluations": self.evaluations, "finalists": len(self.run.finalists),
            "answer": answer(self.run), "front": [one.row() for one in self.front],
            "missed": [
                {"key": one.key, "promises": [p.as_dict() for p in one.promises]}
                for one in self.missed
            ],
            "rounds": [dict(row) for row in self.rounds], "seconds": dict(self.seconds),
            "data": dict(self.run.data),
        }  # fmt: skip
