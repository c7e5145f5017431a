"""Scatter and line plots as plain data: positions and paths that templates/plot.html draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from model.kinds import kind, ordered_kinds
from search.report.svg_axis import Axis, Scale, axis

Box = tuple[float, float, float, float]
"""left, top, right, bottom"""
WIDTH, HEIGHT = 400.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 18.0, 42.0
SHAPES = {
    **{name: kind(name).mark for name in ordered_kinds()},
    "mixed": "M-5.2 0a5.2 5.2 0 1 0 10.4 0a5.2 5.2 0 1 0-10.4 0z",
    "other": "M-5-5L5 5M-5 5L5-5",
}
"""Outline of a mark by kind, about its centre; a kind without its own takes `other`."""


@dataclass(frozen=True)
class Mark:
    """One labelled mark. style: CSS class. group: marks with the same group light up together."""

    x: float
    y: float
    style: str
    group: str = ""
    label: str = ""
    label_x: float = 0.0
    label_y: float = 0.0
    anchor: str = "start"

    @property
    def shape(self) -> str:
        return SHAPES.get(self.style.split()[0], SHAPES["other"])


@dataclass(frozen=True)
class Line:
    """A path with CSS classes."""

    style: str
    path: str


@dataclass
class Plot:
    """One figure. hits: (x, y, text, group) of everything that a pointer can ask about."""

    title: str
    x: Axis
    y: Axis
    width: float = WIDTH
    height: float = HEIGHT
    lines: list[Line] = field(default_factory=list)
    clouds: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    hits: list[tuple[float, float, str, str]] = field(default_factory=list)
    note: str = ""
    alt: str = ""

    def cloud(self, style: str, spots: Sequence[tuple[float, float]]) -> None:
        """Faint dots as one path."""
        if spots:
            self.clouds.append(Line(style, "".join(f"M{x:g} {y:g}h0" for x, y in spots)))

    def polyline(self, style: str, pairs: Iterable[tuple[float, float]]) -> None:
        """Values joined by straight lines."""
        spots = [(self.x.at(x), self.y.at(y)) for x, y in pairs]
        if spots:
            self.lines.append(Line(style, "M" + "L".join(f"{x:g} {y:g}" for x, y in spots)))

    def stairs(self, style: str, pairs: Sequence[tuple[float, float]]) -> None:
        """A Pareto front: from each point level until the next, then up; level to the far end."""
        if not pairs:
            return
        (x, y), *rest = [(self.x.at(a), self.y.at(b)) for a, b in pairs]
        path = f"M{x:g} {y:g}" + "".join(f"H{a:g}V{b:g}" for a, b in rest)
        self.lines.append(Line(style, f"{path}H{self.x.end:g}"))

    def label(self) -> None:
        """Gives every mark's label a place where it covers neither another nor a mark."""
        taken = [(m.x - 6, m.y - 6, m.x + 6, m.y + 6) for m in self.marks]
        for i, mark in enumerate(self.marks):
            if mark.label:
                self.marks[i], box = self._placed(mark, taken)
                taken.append(box)

    def _placed(self, mark: Mark, taken: list[Box]) -> tuple[Mark, Box]:
        width = 7.5 * len(mark.label)
        options = []
        for dx, dy, anchor in PLACES:
            left = mark.x + dx - width * {"start": 0, "middle": 0.5, "end": 1}[anchor]
            box = (left, mark.y + dy - 10, left + width, mark.y + dy + 1)
            covered = sum(_overlap(box, other) for other in taken) + self._outside(box)
            options.append((covered, dx, dy, anchor, box))
        _, dx, dy, anchor, box = min(options, key=lambda o: o[0])
        placed = Mark(
            mark.x, mark.y, mark.style, mark.group, mark.label,
            round(mark.x + dx, 1), round(mark.y + dy, 1), anchor,
        )  # fmt: skip
        return placed, box

    def _outside(self, box: Box) -> float:
        right, top = self.width - 2, 2
        return 100.0 * (box[0] < self.x.start or box[2] > right or box[1] < top)


PLACES = (
    (8, -5, "start"), (-8, -5, "end"), (0, -10, "middle"), (8, 13, "start"), (-8, 13, "end"),
    (0, 19, "middle"), (13, 4, "start"), (-13, 4, "end"), (13, -15, "start"), (-13, -15, "end"),
)  # fmt: skip


def _overlap(a: Box, b: Box) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(high, 0.0)


def frame(
    title: str,
    xs: Iterable[float],
    ys: Iterable[float],
    *,
    size: tuple[float, float] = (WIDTH, HEIGHT),
    labels: tuple[str, str] = ("", ""),
    scales: tuple[Scale, Scale] = ("linear", "linear"),
    least: float | None = None,
) -> Plot:
    """An empty plot with axes around the values; `least` cuts the vertical one."""
    width, height = size
    x = axis(xs, LEFT, width - RIGHT, scale=scales[0], label=labels[0])
    y = axis(ys, height - BOTTOM, TOP, scale=scales[1], least=least, label=labels[1])
    return Plot(title, x, y, width, height)
