"""The result of looking at a data set: data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from rich.table import Table

    from model.data.summary import DataSummary

SHOWN = 40
"""Classes in the table."""


@dataclass(frozen=True)
class Augmentation:
    """What training does to images by default. shift: the largest translation in pixels. flips:
    half of them are mirrored."""

    shift: int
    flips: bool

    def __str__(self) -> str:
        pixels = "pixel" if self.shift == 1 else "pixels"
        moved = f"moved by up to {self.shift} {pixels}" if self.shift else ""
        mirrored = "half of them mirrored" if self.flips else ""
        done = ", ".join(part for part in (moved, mirrored) if part)
        return done or "taken as they are"


@dataclass(frozen=True)
class DataOutcome(Outcome):
    """What was understood of a data set. augmentation: by default, of a network that is not tiny.
    sheet: the picture of examples, if one was written. place: what a command calls the data set.

    >>> told = shiftadd.data("wine")
    >>> told.summary.classes[0].name, told.summary.shape, str(told.augmentation)
    ('class_0', (1, 1, 13), 'taken as they are')
    """

    summary: DataSummary
    augmentation: Augmentation
    place: str
    sheet: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        sheet = None if self.sheet is None else str(self.sheet)
        rest = {"augmentation": asdict(self.augmentation), "sheet": sheet}
        return self.summary.as_dict() | rest

    def tables(self) -> Sequence[Table]:
        from rich.table import Table

        classes = self.summary.classes
        drawn = Table(title=f"{len(classes)} classes", title_justify="left")
        drawn.add_column("class")
        for part in ("training", "test"):
            drawn.add_column(part, justify="right")
        for one in classes[:SHOWN]:
            drawn.add_row(one.name, f"{one.train:,}", f"{one.test:,}")
        if len(classes) > SHOWN:
            drawn.caption = f"and {len(classes) - SHOWN} more classes"
        return (drawn,)

    def lines(self) -> Sequence[str]:
        what = "rows" if self.summary.table else "images"
        sheet = [] if self.sheet is None else [f"examples: {self.sheet}"]
        family = "table_hybrid" if self.summary.table else "image_hybrid"
        then = next_command("train", family, "--data", self.place)
        return (
            *self.summary.lines(),
            f"in training, {what} are {self.augmentation}",
            *sheet,
            *([then] if self.place else []),
        )
