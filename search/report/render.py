"""A Page as HTML: templates, and how figures are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from gen.report import FRAME_RATE
from model.kinds import kind, ordered_kinds
from search.report.page_model import Page
from search.report.svg_plot import SHAPES


@dataclass
class Texts:
    """What pointers are told, each text once; a figure's points refer to it by number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    @property
    def all(self) -> list[str]:
        return list(self.numbers)


def render(page: Page) -> str:
    """One HTML document without any reference to another file."""
    return _environment().get_template("report.html").render(page=page, texts=Texts())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("search.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "num": num, "percent": percent, "signed_percent": signed_percent, "points": points,
        "packed": packed,
    }  # fmt: skip
    environment.globals["frame_rate"] = FRAME_RATE
    environment.globals["shapes"] = SHAPES
    environment.globals["kinds"] = [kind(name) for name in ordered_kinds()]
    return environment


def num(value: float | None, digits: int = 0) -> str:
    """1,234.5; a dash where nobody knows."""
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(part: float | None) -> str:
    """A fraction in percent, without the sign."""
    return num(None if part is None else 100 * part, 1)


def signed_percent(part: float) -> str:
    return f"{100 * part:+.0f} %".replace("-", "−")


def points(part: float) -> str:
    """A difference of accuracies in percentage points; a dash where there is none."""
    return "–" if part == float("-inf") else f"{100 * part:+.1f}".replace("-", "−")


def packed(hits: Sequence[tuple[float, float, str, str]], texts: Texts) -> str:
    """Points of a figure as JSON: x, y, number of the text, number of the group or −1."""
    rows = [[x, y, texts.number(t), texts.number(g) if g else -1] for x, y, t, g in hits]
    return json.dumps(rows, separators=(",", ":"))
