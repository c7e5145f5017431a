"""The files of one training run: a log line and a checkpoint an epoch, the Network at the end."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from model import arch as architectures
from model import store
from model.arch import Architecture
from model.errors import ShiftaddError
from model.files import write
from model.spec import Network

LOG, CHECKPOINT, ARCHITECTURE, NETWORK = "log.jsonl", "checkpoint.pt", "arch.json", "network"


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


class TrainingRun:
    """The files of a run in `folder` (None: no files). `request` tells one run from another."""

    def __init__(self, folder: Path | None, request: dict[str, Any]) -> None:
        self.folder, self.request = folder, request
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def fresh(self) -> State:
        """Begin again: the log of an earlier run is removed."""
        if self.folder:
            (self.folder / LOG).unlink(missing_ok=True)
        return State()

    def restore(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> State:
        """Go on after the last full epoch, or begin if there is none.

        Raises TrainError for a checkpoint that is damaged or of another request.
        """
        if not self.folder or not (self.folder / CHECKPOINT).exists():
            return self.fresh()
        path = self.folder / CHECKPOINT
        try:
            saved = torch.load(path, weights_only=True)
            differs = [k for k, v in self.request.items() if saved["request"].get(k) != v]
            state = State(**saved["state"])
        except Exception as error:  # torch raises many types for a damaged file
            reason = type(error).__name__
            raise TrainError(f"{path}: cannot be read ({reason}); delete it to begin") from None
        if differs:
            name = differs[0]
            raise TrainError(
                f"{self.folder}: holds a run with {name} {saved['request'].get(name)!r}, not "
                f"{self.request[name]!r}; resume the same request or give another folder"
            )
        try:
            net.load_state_dict(saved["net"])
            optimiser.load_state_dict(saved["optimiser"])
        except Exception as error:  # nor is its form sure
            reason = type(error).__name__
            raise TrainError(f"{path}: does not fit the net ({reason}); delete it") from None
        return state

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
        write(self.folder / CHECKPOINT, pickled(saved))
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")

    def finish(self, arch: Architecture, network: Network) -> None:
        if self.folder:
            architectures.save(arch, self.folder / ARCHITECTURE)
            store.save(network, self.folder / NETWORK)


def pickled(value: object) -> bytes:
    """What torch.save writes: into a file it does so itself, and cannot say of a full disk."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()
