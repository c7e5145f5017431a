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
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gen.cost.energy import model_hash as energy_model
from model.checkpoint import CHECKPOINT, LOG, NETWORK
from model.files import write
from model.lock import folder_lock
from model.records import contents
from search.evolve.objectives import Score
from search.evolve.predictor import Inherited
from search.results.results import RunError
from search.results.results_files import (
    FORMAT,
    MOST_LINES,
    VERSION,
    held,
    parsed,
    plain_key,
    scored,
)
from search.results.run_forms import RoundForm, RunForm, ScoreForm

INFEASIBLE = "infeasible"
"""State of a run that ended because nothing meets its request."""
HEAD, SCORES, ROUNDS = "run.json", "candidates.jsonl", "rounds.json"
FOLDERS = ("finalists", "trained")
FILES = (SCORES, ROUNDS, "supernet.json", "front.json", "front.csv", "report.html")
"""What a run leaves beside run.json."""
OTHERS = (CHECKPOINT, LOG, NETWORK, "network.json", "plan.json", "manifest.json")
"""What trainings, networks, builds and bundles leave."""


def begun_on(folder: Path) -> str | None:
    """Where the run in `folder` trains and scores networks; None where there is no run."""
    if not (folder / HEAD).is_file():
        return None
    head = held(parsed(folder / HEAD, dict[str, Any]), RunForm, folder / HEAD)
    return str(head["request"].get("compute", "cpu"))


class RunFolder:
    """A run directory that this process alone writes. Raises RunError, FolderInUseError, one line.

    Without `resume` the folder must hold no run; with it, one of the same `request` or none. force:
    a run that is there is removed. A folder that anything else was written to is refused.
    """

    def __init__(
        self, folder: Path, request: Mapping[str, Any], *, resume: bool, force: bool = False
    ) -> None:
        self.folder = folder
        self.head: dict[str, Any] = {
            "format": FORMAT, "version": VERSION, "state": "running", "request": dict(request),
            "seconds": {}, "energy": energy_model(),
        }  # fmt: skip
        self.scores: dict[tuple[int, str], Score] = {}
        self.inherited: dict[str, Inherited] = {}
        with ExitStack() as held:
            held.enter_context(folder_lock(folder, "search"))
            if force and not resume:
                self._remove()
            if (folder / HEAD).is_file():
                self._adopt(resume)
            elif others := [name for name in OTHERS if (folder / name).exists()]:
                raise RunError(
                    f"{folder}: holds {others[0]}, which is of no search; give another --out"
                )
            self._restore()
            self._file = held.enter_context((folder / SCORES).open("ab"))
            self.write()
            self._held = held.pop_all()

    def close(self) -> None:
        self._held.close()

    def _remove(self) -> None:
        """What runs leave, if a run is there; run.json goes last, so that it can be said again."""
        if not (self.folder / HEAD).is_file():
            return
        for name in FOLDERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in (*FILES, HEAD):
            (self.folder / name).unlink(missing_ok=True)

    def _adopt(self, resume: bool) -> None:
        """Go on with the run that is there; one that nothing could meet makes way for another."""
        old = parsed(self.folder / HEAD, dict[str, Any])
        said = held(old, RunForm, self.folder / HEAD)
        asked, state = old["request"], said["state"]
        spent = said.get("seconds") or {}
        old["seconds"] = {step: n for step, n in spent.items() if n is not None}
        if doing := old.pop("doing", None):  # it was cut short; its time is spent all the same
            _add(old["seconds"], doing["step"], max(0.0, _latest(self.folder) - doing["since"]))
        if not resume and state == INFEASIBLE:
            (self.folder / SCORES).unlink(missing_ok=True)
            return
        if not resume:
            raise RunError(
                f"{self.folder}: holds a run; go on with --resume, remove it with --force, or give "
                "another --out"
            )
        new = json.loads(json.dumps(self.head["request"]))
        differs = [name for name in new if asked.get(name) != new[name]]
        differs += ["compute"] if "compute" in asked.keys() - new.keys() else []
        if differs:
            name = differs[0]
            raise RunError(
                f"{self.folder}: holds a run with {name} {asked.get(name)!r}, not "
                f"{new.get(name)!r}; resume the same request or give another --out"
            )
        if old.get("energy") != self.head["energy"]:
            raise RunError(
                f"{self.folder}: holds a run with other figures of energy, which are not those of "
                "today; remove it with --force, or give another --out"
            )
        self.head = old | {"state": "running"}

    def _restore(self) -> None:
        """The scores on disk; a last line that an interruption tore is cut off."""
        path = self.folder / SCORES
        if not path.is_file():
            return
        whole = contents(path, error=RunError, most=MOST_LINES)
        if torn := len(whole) - whole.rfind(b"\n") - 1:
            os.truncate(path, len(whole) - torn)
        for row in scored(path, ScoreForm):
            for name in (row["key"], row["id"]):
                plain_key(name, path)
            self._keep(Score.from_row(dict(row)), row["round"])

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
        rows = parsed(path, list[dict[str, Any]]) if path.is_file() else []
        held(rows, list[RoundForm], path)
        return rows

    def end_round(self, row: Mapping[str, Any]) -> None:
        rows = [r for r in self.rounds if r["round"] != row["round"]] + [dict(row)]
        write(self.folder / ROUNDS, json.dumps(rows, indent=1) + "\n")

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the seconds of the block to those of `step`, over all parts of the run."""
        began = time.monotonic()
        self.note(doing={"step": step, "since": time.time()})
        try:
            yield
        finally:
            self.head.pop("doing", None)
            _add(self.head["seconds"], step, time.monotonic() - began)
            self.write()


def _add(seconds: dict[str, float], step: str, more: float) -> None:
    seconds[step] = round(seconds.get(step, 0.0) + more, 2)


def _latest(folder: Path) -> float:
    """When something was last written there, in seconds of the epoch; but for locks."""
    return max(path.stat().st_mtime for path in folder.rglob("*") if not path.name.startswith("."))
