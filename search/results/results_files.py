"""SearchRun directories read from disk, whatever state they are in, and the front written back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gen.flow.seeds import SeedClock, clock_lines
from gen.flow.slowest_path import SlowestPath
from gen.support.promises import RULES, Promise, promises
from model.arch import Architecture, from_json
from model.confusion import ConfusionMatrix
from model.errors import UNREADABLE
from model.files import PLAIN_NAME, is_plain_name, write
from model.records import FileHead, brief, contents, convert, decode, read
from search.results.finalist_evidence import evidence_of
from search.results.results import (
    COLUMNS,
    Costs,
    Finalist,
    Histogram,
    Point,
    RunError,
    SearchRun,
)  # fmt: skip
from search.results.run_forms import (
    BuildForm,
    BuiltForm,
    CandidateForm,
    ConfusionForm,
    CostsForm,
    FinalistForm,
    HistogramForm,
    MeasuredForm,
    PointForm,
    PromiseForm,
    RunForm,
    TrainingForm,
)
from search.space import space_files
from search.space.space import Candidate

T = TypeVar("T")
WAY_OUT = "restore it or search again"
MOST_LINES = 1 << 25
"""Bytes of candidates.jsonl."""
FORMAT, VERSION = "shiftadd-run", 2
"""1: energies by the table for 45 nm alone, which are no longer what energy_nj means."""
FRONT_FORMAT = "shiftadd-front"


def load(folder: Path) -> SearchRun:
    """The run in `folder`, finished or not. Raises RunError, one line, if it is none or damaged."""
    path = folder / "run.json"
    if not path.is_file():
        raise RunError(f"{folder}: no run.json; give a folder that `shiftadd search` wrote")
    head = _head(path)
    finalists, building = _finalists(folder, head["request"].get("space", ""))
    training = _optional(folder / "supernet.json", TrainingForm)
    return SearchRun(
        folder=folder,
        **head,
        points=_points(folder / "candidates.jsonl"),
        finalists=finalists,
        building=building,
        rounds=_numbers(_optional(folder / "rounds.json", list[dict[str, Any]])),
        curve=_numbers(training.get("curve")),
        histograms=_histograms(folder / "supernet.json", training),
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


def parsed(path: Path, form: type[T]) -> T:
    """What a JSON file of a run says; anything wrong with it is one RunError."""
    return read(path, form, error=RunError, way_out=WAY_OUT)


def built(path: Path) -> dict[str, Any]:
    """All of a finalist.json that a search wrote, to go on with."""
    row = parsed(path, dict[str, Any])
    held(row, BuiltForm, path)
    if row["measured"]:
        for name in ("searched", "predicted", "measured"):
            held(row[name], MeasuredForm, path)
    plain_key(row["key"], path)
    return row


def scored(path: Path, form: type[T]) -> tuple[T, ...]:
    """The lines of candidates.jsonl; a last one that an interruption tore is left out."""
    lines = contents(path, error=RunError, most=MOST_LINES, way_out=WAY_OUT).split(b"\n")[:-1]
    return tuple(
        decode(
            line, form, source=f"{path}: line {number} is damaged", error=RunError, way_out=WAY_OUT
        )
        for number, line in enumerate(lines, 1)
    )


def plain_key(key: str, path: Path) -> str:
    """`key`, which names a folder; RunError where it cannot."""
    if not is_plain_name(key):
        raise RunError(f"{path}: key {brief(key)} must be {PLAIN_NAME}; {WAY_OUT}")
    return key


def held(row: Any, form: type[T], path: Path) -> T:
    """What is read of `row`, which `path` says, held to a form; RunError, one line."""
    return convert(row, form, source=str(path), error=RunError, way_out=WAY_OUT)


def _head(path: Path) -> dict[str, Any]:
    way_out = "give a folder of `shiftadd search`"
    head = FileHead(FORMAT, VERSION)
    row = read(path, dict[str, Any], error=RunError, head=head, way_out=way_out)
    form = held(row, RunForm, path)
    seconds = {
        step: spent for step, spent in (form.get("seconds") or {}).items() if spent is not None
    }
    parts = {name: row.get(name) or {} for name in ("space", "device", "supernet", "plan")}
    request = dict(row["request"])
    request |= {name: _plain(request.get(name)) for name in ("limits", "budget")}
    request["kinds"] = tuple(request.get("kinds") or ())
    data: Mapping[str, Any] = form.get("data") or {}
    return parts | {"request": request, "seconds": seconds, "state": form["state"], "data": data}


def _plain(row: dict[str, Any] | None) -> dict[str, Any]:
    """What is known of a part that may be missing."""
    return {k: v for k, v in (row or {}).items() if v is not None}


def _optional(path: Path, form: type[T]) -> T:
    return parsed(path, form) if path.is_file() else form()


def _numbers(rows: Iterable[dict[str, Any]] | None) -> tuple[dict[str, float], ...]:
    """The numbers of each row; what is not one is left out."""
    return tuple(
        {key: float(value) for key, value in row.items() if isinstance(value, int | float)}
        for row in rows or ()
    )


def _histograms(path: Path, training: TrainingForm) -> dict[str, Histogram]:
    drawn = (training.get("histograms") or {}).items()
    return {name: _histogram(path, part) for name, part in drawn if part.get("counts")}


def _histogram(path: Path, row: HistogramForm) -> Histogram:
    edges, counts = tuple(row.get("edges", ())), tuple(map(float, row["counts"]))
    if len(edges) != len(counts) + 1 or list(edges) != sorted(set(edges)):
        raise RunError(
            f"{path}: a histogram of {len(counts)} counts needs rising edges, one more; {WAY_OUT}"
        )
    return Histogram(edges, counts, row.get("gaussian"), row.get("laplacian"))


def _points(path: Path) -> tuple[Point, ...]:
    """Every scored point, as scored last."""
    rows = scored(path, PointForm) if path.is_file() else ()
    return tuple({row["key"]: _point(row) for row in rows}.values())


def _point(row: PointForm) -> Point:
    return Point(
        key=row["key"],
        share=row["share"],
        kinds=tuple(row["kinds"]),
        accuracy=row.get("accuracy"),
        fits=row["fits"],
        predicted=_costs(row.get("predicted")),
    )


def _finalists(folder: Path, space: str) -> tuple[tuple[Finalist, ...], int]:
    """Those that have ended, in order of their keys, and how many have only begun."""
    folders = sorted(p for p in (folder / "finalists").glob("*") if p.is_dir())
    ended = [p for p in folders if (p / "finalist.json").is_file()]
    return tuple(_finalist(p, space) for p in ended), len(folders) - len(ended)


def _finalist(folder: Path, space: str) -> Finalist:
    path = folder / "finalist.json"
    row = parsed(path, FinalistForm)
    accuracy, rtl = row.get("accuracy") or {}, row.get("rtl") or {}
    inherited = accuracy.get("inherited")
    report = _optional(folder / "report.json", BuildForm)
    below, faults = evidence_of(folder)
    return Finalist(
        key=plain_key(row["key"], path), share=row["share"], round=row.get("round", 0),
        kinds=tuple(row["kinds"]), inherited=inherited, validation=accuracy.get("validation"),
        test=accuracy.get("test"),
        searched=_costs(row.get("searched") or row.get("predicted")),
        predicted=_costs(row.get("predicted")), measured=_costs(row.get("measured")),
        images=rtl.get("images", 0), mismatches=rtl.get("mismatches", 0),
        error=row.get("error") or "", folder=folder,
        arch=_architecture(folder, row.get("candidate"), space),
        tools=tuple(report.get("tools") or ()), below=below, faults=faults,
        expected=accuracy.get("expected", inherited),
        promises=tuple(_promise(path, one) for one in row.get("promises", ())),
        confusion=_confusion(path, row.get("confusion")), clock=_clock(report),
    )  # fmt: skip


def _clock(report: Mapping[str, Any]) -> tuple[str, ...]:
    seeds, path = report.get("seeds") or (), report.get("slowest_path")
    return clock_lines([SeedClock(**one) for one in seeds], SlowestPath(**path) if path else None)


def _promise(path: Path, row: PromiseForm) -> Promise:
    if (name := row["name"]) not in RULES:
        raise RunError(f"{path}: promise {brief(name)} is of no limit that there is; {WAY_OUT}")
    (promise,) = promises({name: row["asked"]}, {RULES[name].figure: row["measured"]})
    return promise


def _confusion(path: Path, row: ConfusionForm | None) -> ConfusionMatrix | None:
    if row is None:
        return None
    classes, counts = tuple(row["classes"]), tuple(map(tuple, row["counts"]))
    if {len(counts), *map(len, counts)} != {len(classes)}:
        raise RunError(
            f"{path}: confusion of {len(classes)} classes needs so many rows and columns; {WAY_OUT}"
        )
    return ConfusionMatrix(classes, counts)


def _architecture(folder: Path, candidate: Any, space: str) -> Architecture | None:
    """From arch.json, or else from the candidate where its space is at hand."""
    path = folder / "arch.json"
    try:
        if path.is_file():
            return from_json(contents(path, error=RunError), str(path))
        form = held(candidate, CandidateForm, path)
        return space_files.load(space).architecture(Candidate.from_dict(dict(form)))
    except UNREADABLE:
        return None


def _costs(row: CostsForm | None) -> Costs:
    return Costs(**(row or {}))
