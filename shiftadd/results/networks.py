"""Results of what makes networks: train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from model.spec import Network
    from model.train import TrainResult


@dataclass(frozen=True)
class TrainOutcome(Outcome):
    """A trained network. arch, data: their names. folder: of the network. result: accuracy at the
    end of each stage, weights, epochs and seconds."""

    arch: str
    data: str
    folder: Path
    result: TrainResult = field(repr=False)

    @property
    def network(self) -> Network:
        """The integer network, for `compile`, `simulate` and `deploy`."""
        return self.result.network

    @property
    def accuracy(self) -> Mapping[str, float]:
        """Share of the test images that are right: float, quantised, integer."""
        return self.result.accuracy

    def as_dict(self) -> dict[str, Any]:
        return {"arch": self.arch, "data": self.data} | self.result.as_dict(self.folder)

    def lines(self) -> Sequence[str]:
        stages = ", ".join(f"{stage} {100 * a:.2f} %" for stage, a in self.accuracy.items())
        return (
            f"{self.arch} on {self.data}: right on the test images: {stages}; "
            f"{self.result.weights} weights, {self.result.epochs} epochs, "
            f"{self.result.seconds:.0f} s",
            f"network: {self.folder}",
            next_command("compile", self.folder),
        )
