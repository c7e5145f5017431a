"""Results of what makes networks: train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command
from shiftadd.results.classes import class_lines

if TYPE_CHECKING:
    from model.spec import Network
    from model.train import TrainResult


@dataclass(frozen=True)
class TrainOutcome(Outcome):
    """A trained network. arch, data: their names. folder: of the network. result: accuracy at the
    end of each stage, confusion, recipe, advice.

    >>> made = shiftadd.train("digits_mlp", data="digits", epochs=1, out="outcome", quiet=True)
    >>> made.folder, made.result.weights, list(made.accuracy)
    (PosixPath('outcome/network'), 1184, ['float', 'quantised', 'integer'])
    """

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

    @property
    def per_class(self) -> Mapping[str, float | None]:
        """Share of each class's test images that are right; None for a class without any."""
        return self.result.per_class

    @property
    def advice(self) -> tuple[str, ...]:
        """What went less well than it could, with what helps; often nothing."""
        return self.result.advice

    def as_dict(self) -> dict[str, Any]:
        return {"arch": self.arch, "data": self.data} | self.result.as_dict(self.folder)

    def lines(self) -> Sequence[str]:
        made, matrix = self.result, self.result.confusion
        examples = "rows" if made.data.get("table") else "images"
        stages = ", ".join(f"{stage} {100 * share:.2f} %" for stage, share in self.accuracy.items())
        return (
            f"{self.arch} on {self.data}: {made.weights} weights, {made.epochs} epochs, "
            f"{made.seconds:.0f} s",
            f"right on the {matrix.total} test {examples}: {stages}",
            *class_lines(matrix),
            *made.advice,
            f"network: {self.folder}",
            next_command("compile", self.folder),
        )
