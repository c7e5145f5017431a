"""Keeps a search to its time: before each step it is decided how much of it is done.

What is decided is kept in run.json, so that a run that is gone on with does as it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from search.run.plan import Speeds, Step, kind_of, steps, stretched
from search.run.progress import Show
from search.run.request import SearchBudget, minutes
from search.run.run_folder import RunFolder


class Pace:
    """Of one run. seconds: that it may take but for the supernet; None: it does what the budget
    says."""

    def __init__(
        self, run: RunFolder, show: Show, seconds: float | None = None,
        budget: SearchBudget | None = None, speeds: Speeds | None = None,
    ) -> None:  # fmt: skip
        self.run, self.show, self.seconds = run, show, seconds
        self._ahead = list(steps(budget, speeds)) if budget and speeds else []
        self._off: dict[str, float] = {}
        """By kind of step, how many times as long as planned the latest one took."""

    @property
    def left(self) -> float:
        """Seconds."""
        spent: dict[str, float] = self.run.head["seconds"]
        return (self.seconds or 0.0) - sum(s for name, s in spent.items() if name != "supernet")

    @contextmanager
    def step(self, name: str, planned: int, times: float = 1.0) -> Iterator[int]:
        """How many units are done in this step; its seconds are counted.

        planned: without a time. times: how much longer than others of its kind a unit takes.
        """
        kind = kind_of(name)
        if self.seconds is None:
            with self.run.timed(kind):
                yield planned
            return
        mine = self._next(name).slower(times * self._off.get(kind, 1.0))
        ahead = [one.slower(self._off.get(one.kind, 1.0)) for one in self._ahead]
        kept = self._decided(name, stretched(mine, self.left, ahead), mine)
        with self.run.timed(kind):
            yield kept["units"]
        if "seconds" not in kept:
            kept["seconds"] = round(self._spent(kind) - kept["before"], 2)
            self.run.write()
        expected = mine.seconds * kept["units"] / max(mine.units, 1)
        if expected > 0:
            self._off[kind] = self._off.get(kind, 1.0) * kept["seconds"] / expected

    def _spent(self, kind: str) -> float:
        return float(self.run.head["seconds"].get(kind, 0.0))

    def _next(self, name: str) -> Step:
        """The step called so, which is next but for those that are left out."""
        while self._ahead[0].name != name:
            self._ahead.pop(0)
        return self._ahead.pop(0)

    def _decided(self, name: str, units: int, planned: Step) -> dict[str, Any]:
        """What run.json says of a step, or now does."""
        decided: dict[str, Any] = self.run.head.setdefault("steps", {})
        if name not in decided:
            decided[name] = {"units": units, "before": self._spent(planned.kind)}
            self.run.write()
            if units != planned.units:
                change = f"{units} instead of {planned.units}"
                self.show.say(f"{name}: {change}, as {minutes(self.left)} are left")
        kept: dict[str, Any] = decided[name]
        return kept
