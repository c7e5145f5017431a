"""What is said of the data of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.report.page_model import DataPart


def data_section(data: Mapping[str, Any]) -> DataPart | None:
    """Of a `model.data.summary.DataSummary` as a run keeps it; None where an older run has none."""
    if "classes" not in data:
        return None
    rows = data["classes"]
    most = max((row["train"] for row in rows), default=0) or 1
    classes = [
        (str(row["name"]), row["train"], row["test"], 100 * row["train"] / most) for row in rows
    ]
    return DataPart(_facts(data), classes, [str(note) for note in data.get("notes", ())])


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    height, width, channels = data["shape"]
    what = "rows" if data["table"] else "images"
    form = f"{channels} features" if data["table"] else f"{height} × {width} × {channels}"
    facts = [
        ("name", str(data["name"])),
        (what, f"{data['train']:,} to train and validate, {data['test']:,} to test"),
        ("each", form),
        ("values", f"{data['low']} to {data['high']}, {data['bits']} bits"),
        ("content", str(data["digest"])[:12]),
    ]
    if augmented := data.get("augmentation"):
        facts.append(("in training", _augmented(augmented["shift"], augmented["flips"])))
    if data["unbalanced"]:
        majority = f"always the largest is right in {100 * data['majority']:.1f} % of the test part"
        facts.append(("classes", f"unbalanced: {majority}"))
    return facts


def _augmented(shift: int, flips: bool) -> str:
    pixels = "pixel" if shift == 1 else "pixels"
    moved = [f"moved by up to {shift} {pixels}"] if shift else []
    return ", ".join([*moved, *(["half of them mirrored"] if flips else [])]) or "as they are"
