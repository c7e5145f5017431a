"""The files of one training run: a log line and a checkpoint an epoch, the Network at the end."""

from __future__ import annotations

import io
import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from model import arch as architectures
from model import store, temporary
from model.arch import Architecture
from model.device import at_home
from model.errors import ShiftaddError
from model.files import write
from model.lock import folder_lock
from model.records import Count, Whole, convert
from model.saved import fit_optimiser, fit_state, load_saved, state_differs
from model.spec import Network

LOG, CHECKPOINT, ARCHITECTURE, NETWORK = "log.jsonl", "checkpoint.pt", "arch.json", "network"


PARTS = ("request", "state", "net", "optimiser")
ANEW = "--force begins anew"


class TrainError(ShiftaddError, ValueError):
    """A request that cannot be trained; the message names bad value, rule and way out."""


@dataclass
class State:
    """Where a run stands: epochs done, their seconds, accuracy at the end of each stage.

    quantised: the net's state at the end of that stage, once it is over.
    """

    epoch: int = 0
    seconds: float = 0.0
    accuracy: dict[str, float] = field(default_factory=dict)
    quantised: dict[str, torch.Tensor] | None = None


class _Stand(TypedDict):
    """A State in a file, but for its tensors."""

    epoch: Whole
    seconds: Count
    accuracy: dict[str, float]


class TrainingRun:
    """The files of a run in `folder` (None: no files). `request` tells one run from another.

    Use: within `held`, `claim`, then `restore`, then `record` after each epoch, then `finish`.
    """

    def __init__(self, folder: Path | None, request: dict[str, Any]) -> None:
        self.folder, self.request = folder, request
        self._replaces = False
        """Whether another run, which is replaced, lies there still."""
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def held(self) -> AbstractContextManager[None]:
        """No other process trains in the folder meanwhile; FolderInUseError where one does."""
        return folder_lock(self.folder, "training") if self.folder else nullcontext()

    def claim(self, *, resume: bool = False, force: bool = False) -> None:
        """Makes sure that what is in the folder may be gone on from (`resume`) or replaced
        (`force`), which happens when the first epoch of this run is done.

        Raises TrainError for any other run that is there.
        """
        if not self.folder:
            return
        network = self.folder / NETWORK
        if network.exists() and not (network / store.GRAPH).is_file():
            raise TrainError(f"{network}: exists and is no network; give another folder with --out")
        if resume and not force and (self.folder / CHECKPOINT).exists():
            self._same(self._saved())
        elif force and not (resume and self._goes_on()):
            self._replaces = True
        elif (
            any((self.folder / name).exists() for name in (NETWORK, CHECKPOINT, LOG)) and not force
        ):
            raise TrainError(
                f"{self.folder}: holds a run already; --resume goes on with it, --force replaces "
                "it, --out names another folder"
            )

    def _goes_on(self) -> bool:
        """Whether the folder holds this very request."""
        try:
            self._same(self._saved())
        except TrainError:
            return False
        return True

    def _remove(self) -> None:
        """Removes the run that is replaced, but for its checkpoint: until there is another one,
        `resume` makes of that all the rest."""
        assert self.folder
        if (self.folder / NETWORK).exists():
            with temporary.folder(f".{NETWORK}", self.folder) as scratch:
                (self.folder / NETWORK).rename(scratch / NETWORK)  # never half of it
        for name in (LOG, ARCHITECTURE):
            (self.folder / name).unlink(missing_ok=True)
        self._replaces = False

    def fresh(self) -> State:
        """Begin again: the log of an earlier run is removed."""
        if self.folder:
            (self.folder / LOG).unlink(missing_ok=True)
        return State()

    def restore(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> State:
        """Go on after the last full epoch, or begin if there is none.

        Raises TrainError for a checkpoint that is damaged or of another request.
        """
        if self._replaces:
            return State()
        if not self.folder or not (self.folder / CHECKPOINT).exists():
            return self.fresh()
        saved, path = self._saved(), self.folder / CHECKPOINT
        self._same(saved)
        stand = dict(saved["state"])
        kept = stand.pop("quantised", None)
        form = convert(stand, _Stand, source=str(path), error=TrainError, way_out=ANEW)
        if kept is not None and (differs := state_differs(net.state_dict(), kept)):
            raise TrainError(f"{path}: the quantised stage: {differs}; {ANEW}")
        fit_state(net, saved["net"], source=str(path), error=TrainError, way_out=ANEW)
        fit_optimiser(
            optimiser, saved["optimiser"], source=str(path), error=TrainError, way_out=ANEW
        )
        return State(**form, quantised=kept)

    def _saved(self) -> dict[str, Any]:
        """What the checkpoint holds; TrainError when it is damaged."""
        assert self.folder
        path = self.folder / CHECKPOINT
        saved = load_saved(path, error=TrainError, way_out=ANEW)
        parts = [saved.get(name) for name in PARTS] if isinstance(saved, dict) else [None]
        if not all(isinstance(part, dict) for part in parts):
            raise TrainError(f"{path}: must hold {', '.join(PARTS)}; {ANEW}")
        return dict(saved)

    def _same(self, saved: dict[str, Any]) -> None:
        """TrainError unless what is saved is of this request."""
        given = saved["request"]
        # By their texts: anything may stand in a file, and not all of it can be compared.
        differs = [k for k, v in self.request.items() if repr(given.get(k)) != repr(v)]
        there, here = (one.get("device", "cpu") for one in (given, self.request))
        if not differs and there == here:
            return
        if there != here:
            raise TrainError(
                f"{self.folder}: holds a run on {there}, not on {here}; --device names it, --force "
                "trains anew, --out names another folder"
            )
        name = differs[0]
        if name == "data_hash":
            raise TrainError(
                f"{self.folder}: holds a run of other data: {given.get('data')} has changed since "
                f"(it was {str(given.get(name))[:12]}, is {self.request[name][:12]}); --force "
                "trains anew, --out names another folder"
            )
        raise TrainError(
            f"{self.folder}: holds a run with {name} {given.get(name)!r}, not "
            f"{self.request[name]!r}; resume the same request, give another folder, or --force"
        )

    def record(
        self, row: dict[str, Any], net: nn.Module, optimiser: torch.optim.Optimizer, state: State
    ) -> None:
        """Checkpoint first, then the log line: a run cut between the two only lacks a line."""
        if not self.folder:
            return
        saved = {
            "request": self.request, "state": vars(state),
            "net": net.state_dict(), "optimiser": optimiser.state_dict(),
        }  # fmt: skip
        content = pickled(at_home(saved))
        if self._replaces:
            self._remove()
        write(self.folder / CHECKPOINT, content)
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")

    def finish(self, arch: Architecture, network: Network) -> None:
        if self.folder:
            architectures.save(arch, self.folder / ARCHITECTURE)
            store.save(network, self.folder / NETWORK)


def final_states(folder: Path) -> list[dict[str, torch.Tensor]]:
    """Of the run that ended in `folder`: the states from one of which its Network was exported,
    the last one and, if there was an integer stage, that before it. Raises TrainError."""
    saved = TrainingRun(folder, {})._saved()
    before = saved["state"].get("quantised")
    return [saved["net"], *([before] if before else [])]


def pickled(value: object) -> bytes:
    """What torch.save writes: into a file it does so itself, and cannot say of a full disk."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()
