"""What stands on a report's page: plain data, which the templates lay out."""

from __future__ import annotations

from dataclasses import dataclass

from search.report.architecture_strip import Piece
from search.report.commands import Command
from search.report.svg_plot import Plot
from search.results.compare import Gain
from search.results.results import Finalist, SearchRun


@dataclass(frozen=True)
class Fact:
    """One figure of the headline."""

    name: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class Bar:
    """One resource of a finalist. part, predicted_part: percent of what the device has."""

    name: str
    used: float
    has: float
    part: float
    predicted: float | None
    predicted_part: float | None


@dataclass(frozen=True)
class Fault:
    """Malformed frames of one category. damaged, refused: what the board counted of them, in
    percent of the longest bar. harm: good requests that suffered."""

    category: str
    sent: int
    damaged: float
    refused: float
    harm: int
    tip: str


@dataclass(frozen=True)
class ClassRow:
    """Test images of one class. right: the share of them that is. said: how many were said to be of
    each class, and as parts of the class."""

    name: str
    images: int
    right: float | None
    said: list[tuple[int, float]]


@dataclass(frozen=True)
class DataPart:
    """What is known of the data. facts: names and values. classes: name, training and test images
    and the width of a bar in percent. notes: what was converted."""

    facts: list[tuple[str, str]]
    classes: list[tuple[str, int, int, float]]
    notes: list[str]


@dataclass(frozen=True)
class Card:
    """One finalist. letter: its name in the plots; empty where it was not built. test_interval: of
    its accuracy by test, with 95 %; None where that is unknown."""

    finalist: Finalist
    letter: str
    on_front: bool
    group: str
    anchor: str
    strip: list[Piece]
    bars: list[Bar]
    faults: list[Fault]
    commands: list[Command]
    classes: list[ClassRow]
    test_interval: tuple[float, float] | None

    @property
    def worst(self) -> list[ClassRow]:
        """The three classes of which least is right."""
        known = [row for row in self.classes if row.right is not None]
        return sorted(known, key=lambda row: row.right or 0.0)[:3]


@dataclass(frozen=True)
class View:
    """One run. energy: how what its energies are made of is known."""

    run: SearchRun
    name: str
    energy: str
    cards: list[Card]
    progress: str
    resume: Command | None
    data: DataPart | None
    comparisons: list[tuple[Plot, float | None]]
    rounds: list[tuple[str, Plot]]
    supernet: str
    training: list[tuple[str, Plot]]
    histograms: list[tuple[str, Plot, str]]
    request: list[tuple[str, str]]
    seconds: list[tuple[str, float, float]]

    @property
    def dominated(self) -> bool:
        return not all(card.on_front for card in self.cards)


@dataclass(frozen=True)
class Page:
    """All of it; gains: the first run against each other one.

    volumes: hypervolume of each front by name, of several. empty: why there are no plots.
    """

    title: str
    lede: list[str]
    facts: list[Fact]
    views: list[View]
    pareto: list[Plot]
    legend: list[tuple[str, str]]
    gains: list[Gain]
    volumes: dict[str, float]
    empty: str
    command: str

    @property
    def several(self) -> bool:
        return len(self.views) > 1
