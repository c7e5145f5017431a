"""Results of what shows or measures what is there: boards, characterise, demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from rich.table import Table

    from gen.boards.table import BoardRow
    from shiftadd.demonstration import Demonstration


@dataclass(frozen=True)
class CharacteriseOutcome(Outcome):
    """Prices fitted to measured layers. layers: how many there are. error_percent: mean, of layers
    and of networks, by figure.

    >>> made = shiftadd.CharacteriseOutcome("ice40", 240, {}, {"lut": {"layers": 6.5}}, ())
    >>> made.lines()[0]
    'ice40: lut of layers within 6.5 % on average'
    """

    family: str
    layers: int
    prices: Mapping[str, Mapping[str, float]]
    error_percent: Mapping[str, Mapping[str, float]]
    tools: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"tools": list(self.tools)}

    def lines(self) -> Sequence[str]:
        within = [
            f"{self.family}: {figure} of {what} within {error} % on average"
            for figure, errors in self.error_percent.items()
            for what, error in errors.items()
        ]
        fitted = f"{self.family}: prices are fitted to {self.layers} layers; plans use them now"
        return (*within, fitted, "next: python -m gen.calibrate.evaluate")


@dataclass(frozen=True)
class BoardsOutcome(Outcome):
    """The boards that a network can be deployed to.

    >>> made = shiftadd.boards()
    >>> [(row.lut, row.dsp) for row in made.boards if row.board == "icebreaker"]
    [(5280, 8)]
    """

    boards: tuple[BoardRow, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"boards": [row.as_dict() for row in self.boards]}

    def tables(self) -> Sequence[Table]:
        from gen.boards.table import table

        return (table(self.boards),)

    def lines(self) -> Sequence[str]:
        notes = [f"{row.board}: {row.note}" for row in self.boards if row.note]
        then = next_command("deploy", "NET", "--board", self.boards[0].board, "--virtual")
        return (*notes, f"{then}, with the folder of a trained network as NET")


@dataclass(frozen=True)
class DemoOutcome(Outcome):
    """All verbs on the digits.

    >>> made = shiftadd.demo(quiet=True)
    >>> made.ok, made.demonstration.trained.accuracy["integer"] > 0.95
    (True, True)
    """

    demonstration: Demonstration

    @property
    def ok(self) -> bool:
        """Whether every image was equal to the golden model's, everywhere."""
        return self.demonstration.ok

    def as_dict(self) -> dict[str, Any]:
        return self.demonstration.as_dict()

    def tables(self) -> Sequence[Table]:
        from shiftadd.demonstration import tables

        return tables(self.demonstration)

    def lines(self) -> Sequence[str]:
        made = self.demonstration
        return (
            f"network: {made.network}",
            f"report: {made.searched.page}",
            f"{next_command('data', 'FOLDER')}, with your own images by class in FOLDER",
        )
