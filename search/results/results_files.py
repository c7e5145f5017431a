"""SearchRun directories read from disk, whatever state they are in, and the front written back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from gen.support.promises import RULES, Promise, promises
from model.arch import Architecture, from_json
from model.confusion import ConfusionMatrix
from model.errors import UNREADABLE
from model.files import write
from search.results.finalist_evidence import evidence_of
from search.results.results import (
    COLUMNS,
    COSTS,
    Costs,
    Finalist,
    Histogram,
    Point,
    RunError,
    SearchRun,
)  # fmt: skip
from search.space import space_files
from search.space.space import Candidate

T = TypeVar("T")
FORMAT, VERSION = "shiftadd-run", 1
FRONT_FORMAT = "shiftadd-front"


def load(folder: Path) -> SearchRun:
    """The run in `folder`, finished or not. Raises RunError, one line, if it is none or damaged."""
    path = folder / "run.json"
    if not path.is_file():
        raise RunError(f"{folder}: no run.json; give a folder that `shiftadd search` wrote")
    head = parsed(path, lambda row: _head(path, row))
    finalists, building = _finalists(folder, head["request"].get("space", ""))
    curve, histograms = _optional(folder / "supernet.json", _training, _training({}))
    return SearchRun(
        folder=folder,
        **head,
        points=_points(folder / "candidates.jsonl"),
        finalists=finalists,
        building=building,
        rounds=_optional(folder / "rounds.json", _numbers, ()),
        curve=curve,
        histograms=histograms,
    )


def save_front(folder: Path, points: Sequence[Finalist]) -> None:
    """Writes front.json and front.csv: the measured front, in the order given."""
    rows = [point.row() for point in points]
    text = json.dumps({"format": FRONT_FORMAT, "version": VERSION, "points": rows}, indent=1)
    write(folder / "front.json", text + "\n")
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(folder / "front.csv", table.getvalue())


def parsed(path: Path, make: Callable[[Any], T]) -> T:
    """`make` of the JSON in `path`; anything wrong with either is one RunError."""
    try:
        return make(json.loads(path.read_text(encoding="utf-8")))
    except RunError:
        raise
    except UNREADABLE as error:
        raise RunError(f"{path}: damaged ({_words(error)}); restore it or search again") from None


def _words(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())


def _head(path: Path, row: dict[str, Any]) -> dict[str, Any]:
    if row.get("format") != FORMAT:
        raise RunError(f"{path}: not of format {FORMAT!r}; give a folder of `shiftadd search`")
    if row.get("version") != VERSION:
        raise RunError(f"{path}: version {row.get('version')!r} is not {VERSION}; update shiftadd")
    seconds = {str(k): float(v) for k, v in (row.get("seconds") or {}).items()}
    parts = {name: _plain(row.get(name)) for name in ("space", "device", "supernet")}
    request = dict(row["request"])
    request |= {name: _plain(request.get(name)) for name in ("limits", "budget")}
    request["kinds"] = tuple(map(str, request.get("kinds") or ()))
    data = dict(row.get("data") or {})
    state = str(row["state"])
    return parts | {"request": request, "seconds": seconds, "state": state, "data": data}


def _plain(row: dict[str, Any] | None) -> dict[str, str | int | float]:
    """The texts and numbers of a part that may be missing."""
    return {k: v for k, v in (row or {}).items() if isinstance(v, str | int | float)}


def _optional(path: Path, kind: Callable[[Any], T], missing: T) -> T:
    return parsed(path, kind) if path.is_file() else missing


def _numbers(rows: list[dict[str, Any]]) -> tuple[dict[str, float], ...]:
    """The numbers of each row; what is not one is left out."""
    return tuple(
        {
            key: float(value)
            for key, value in row.items()
            if isinstance(value, int | float) and isfinite(float(value))
        }
        for row in rows
    )


def _training(row: dict[str, Any]) -> tuple[tuple[dict[str, float], ...], dict[str, Histogram]]:
    drawn = (row.get("histograms") or {}).items()
    histograms = {name: _histogram(part) for name, part in drawn if part.get("counts")}
    return _numbers(row.get("curve") or []), histograms


def _histogram(row: dict[str, Any]) -> Histogram:
    edges, counts = tuple(map(float, row["edges"])), tuple(map(float, row["counts"]))
    if len(edges) != len(counts) + 1 or list(edges) != sorted(set(edges)):
        raise ValueError(f"histogram of {len(counts)} counts needs rising edges, one more")
    return Histogram(edges, counts, _number(row.get("gaussian")), _number(row.get("laplacian")))


def _points(path: Path) -> tuple[Point, ...]:
    """Every scored point, as scored last; a last line that an interruption tore is left out."""
    if not path.is_file():
        return ()
    lines = path.read_bytes().split(b"\n")[:-1]
    points = (_line(path, number, line) for number, line in enumerate(lines, 1))
    return tuple({point.key: point for point in points}.values())


def _line(path: Path, number: int, line: bytes) -> Point:
    try:
        return _point(json.loads(line))
    except UNREADABLE as error:
        raise RunError(f"{path}: line {number} is damaged ({_words(error)})") from None


def _point(row: dict[str, Any]) -> Point:
    return Point(
        key=str(row["key"]),
        share=float(row["share"]),
        kinds=tuple(map(str, row["kinds"])),
        accuracy=_number(row.get("accuracy")),
        fits=bool(row["fits"]),
        predicted=_costs(row.get("predicted")),
    )


def _finalists(folder: Path, space: str) -> tuple[tuple[Finalist, ...], int]:
    """Those that have ended, in order of their keys, and how many have only begun."""
    folders = sorted(p for p in (folder / "finalists").glob("*") if p.is_dir())
    ended = [p for p in folders if (p / "finalist.json").is_file()]
    made = (parsed(p / "finalist.json", partial(_finalist, p, space)) for p in ended)
    return tuple(made), len(folders) - len(ended)


def _finalist(folder: Path, space: str, row: dict[str, Any]) -> Finalist:
    accuracy, rtl = row.get("accuracy") or {}, row.get("rtl") or {}
    inherited, validation, test = (
        _number(accuracy.get(name)) for name in ("inherited", "validation", "test")
    )
    report: dict[str, Any] = _optional(folder / "report.json", dict, {})
    below, faults = evidence_of(folder)
    return Finalist(
        key=str(row["key"]), share=float(row["share"]), round=int(row.get("round") or 0),
        kinds=tuple(map(str, row["kinds"])), inherited=inherited, validation=validation, test=test,
        searched=_costs(row.get("searched") or row.get("predicted")),
        predicted=_costs(row.get("predicted")), measured=_costs(row.get("measured")),
        images=int(rtl.get("images") or 0), mismatches=int(rtl.get("mismatches") or 0),
        error=str(row.get("error") or ""), folder=folder,
        arch=_architecture(folder, row.get("candidate"), space),
        tools=tuple(map(str, report.get("tools") or ())), below=below, faults=faults,
        expected=_number(accuracy.get("expected", inherited)),
        promises=tuple(_promise(one) for one in row.get("promises") or ()),
        confusion=_confusion(row.get("confusion")),
    )  # fmt: skip


def _promise(row: dict[str, Any]) -> Promise:
    """Raises KeyError where it is of no limit that there is."""
    name, measured = str(row["name"]), _number(row["measured"])
    (promise,) = promises({name: float(row["asked"])}, {RULES[name].figure: measured})
    return promise


def _confusion(row: dict[str, Any] | None) -> ConfusionMatrix | None:
    if row is None:
        return None
    classes = tuple(map(str, row["classes"]))
    counts = tuple(tuple(int(n) for n in line) for line in row["counts"])
    if {len(counts), *map(len, counts)} != {len(classes)} or min(map(min, counts)) < 0:
        raise ValueError(f"confusion of {len(classes)} classes needs so many rows and columns")
    return ConfusionMatrix(classes, counts)


def _architecture(folder: Path, candidate: Any, space: str) -> Architecture | None:
    """From arch.json, or else from the candidate where its space is at hand."""
    path = folder / "arch.json"
    try:
        if path.is_file():
            return from_json(path.read_text(encoding="utf-8"), str(path))
        return space_files.load(space).architecture(Candidate.from_dict(candidate))
    except UNREADABLE:
        return None


def _costs(row: dict[str, Any] | None) -> Costs:
    costs = {name: _number((row or {}).get(name)) for name in COSTS}
    if wrong := [name for name, value in costs.items() if value is not None and value < 0]:
        raise ValueError(f"{wrong[0]} {costs[wrong[0]]} is below 0")
    return Costs(**costs)


def _number(value: Any) -> float | None:
    return None if value is None or not isfinite(float(value)) else float(value)
