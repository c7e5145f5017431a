"""The run directory while a search writes it: on disk at every step, and gone on with from there.

    run.json           the request, what it was made with, state and seconds
    candidates.jsonl   a line for each scored point, flushed to the disk before it is used
    finalists/KEY/     everything about one network that was built
    rounds.json        predicted beside measured, round by round

`search.results.results_files` reads it back, finished or not.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from model.errors import UNREADABLE
from model.files import write
from model.lock import folder_lock
from search.evolve.objectives import Score
from search.evolve.predictor import Inherited
from search.results.results import RunError
from search.results.results_files import FORMAT, VERSION, parsed

INFEASIBLE = "infeasible"
"""State of a run that ended because nothing meets its request."""
HEAD, SCORES, ROUNDS = "run.json", "candidates.jsonl", "rounds.json"


class RunFolder:
    """A run directory that this process alone writes. Raises RunError, FolderInUseError, one line.

    Without `resume` the folder must hold no run; with it, one of the same `request` or none.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any], *, resume: bool) -> None:
        self.folder = folder
        self.head: dict[str, Any] = {
            "format": FORMAT, "version": VERSION, "state": "running", "request": dict(request),
            "seconds": {},
        }  # fmt: skip
        self.scores: dict[tuple[int, str], Score] = {}
        self.inherited: dict[str, Inherited] = {}
        with ExitStack() as held:
            held.enter_context(folder_lock(folder, "search"))
            if (folder / HEAD).is_file():
                self._adopt(resume)
            self._restore()
            self._file = held.enter_context((folder / SCORES).open("ab"))
            self.write()
            self._held = held.pop_all()

    def close(self) -> None:
        self._held.close()

    def _adopt(self, resume: bool) -> None:
        """Go on with the run that is there; one that nothing could meet makes way for another."""
        try:
            old = json.loads((self.folder / HEAD).read_text(encoding="utf-8"))
            asked, state = dict(old["request"]), old["state"]
            old["seconds"] = dict(old["seconds"])
        except UNREADABLE as error:
            raise RunError(f"{self.folder / HEAD}: damaged ({error}); give another --out") from None
        if not resume and state == INFEASIBLE:
            (self.folder / SCORES).unlink(missing_ok=True)
            return
        if not resume:
            raise RunError(
                f"{self.folder}: holds a run; go on with --resume, or give another --out"
            )
        new = json.loads(json.dumps(self.head["request"]))
        differs = [name for name in new if asked.get(name) != new[name]]
        if differs:
            name = differs[0]
            raise RunError(
                f"{self.folder}: holds a run with {name} {asked.get(name)!r}, not {new[name]!r}; "
                "resume the same request or give another --out"
            )
        self.head = old | {"state": "running"}

    def _restore(self) -> None:
        """The scores on disk; a last line that an interruption tore is cut off."""
        path = self.folder / SCORES
        if not path.is_file():
            return
        whole = path.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1]
        if len(lines) < len(whole):
            os.truncate(path, len(lines))
        for number, line in enumerate(lines.splitlines(), 1):
            try:
                row = json.loads(line)
                self._keep(Score.from_row(row), int(row["round"]))
            except UNREADABLE:
                raise RunError(f"{path}: line {number} is damaged; delete it") from None

    def append(self, scores: Iterable[Score], number: int, generation: int) -> None:
        """Scores of round `number`, on the disk when this returns."""
        head = {"round": number, "generation": generation}
        scores = [score for score in scores if (number, score.key) not in self.scores]
        self._file.writelines(json.dumps(head | s.as_row()).encode() + b"\n" for s in scores)
        self._file.flush()
        os.fsync(self._file.fileno())
        for score in scores:
            self._keep(score, number)

    def _keep(self, score: Score, number: int) -> None:
        self.scores[number, score.key] = score
        if score.inherited is not None:
            self.inherited[score.id] = score.inherited

    def of_round(self, number: int) -> list[Score]:
        """Every point scored in a round."""
        return [score for (at, _), score in self.scores.items() if at == number]

    def note(self, **values: Any) -> None:
        """Adds to run.json."""
        self.head.update(values)
        self.write()

    def write(self) -> None:
        write(self.folder / HEAD, json.dumps(self.head, indent=1) + "\n")

    @property
    def rounds(self) -> list[dict[str, Any]]:
        """What was found about each round that has ended."""
        path = self.folder / ROUNDS
        return parsed(path, lambda rows: list(map(dict, rows))) if path.is_file() else []

    def end_round(self, row: Mapping[str, Any]) -> None:
        rows = [r for r in self.rounds if r["round"] != row["round"]] + [dict(row)]
        write(self.folder / ROUNDS, json.dumps(rows, indent=1) + "\n")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the seconds of the block to those of `step`, over all parts of the run."""
        began = time.monotonic()
        try:
            yield
        finally:
            spent = self.head["seconds"]
            spent[step] = round(spent.get(step, 0.0) + time.monotonic() - began, 2)
            self.write()
