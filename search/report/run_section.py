"""The part of a report's page that is about one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen.cost.power import power
from gen.support.devices import device
from model.confusion import ConfusionMatrix
from model.errors import RequestError
from search.report import diagnostic_plots
from search.report.architecture_strip import strip
from search.report.commands import going_on, of_finalist
from search.report.data_section import data_section
from search.report.page_model import Bar, Card, ClassRow, Fault, View
from search.report.pareto_plots import group
from search.report.svg_plot import Plot
from search.results.answer import test_interval
from search.results.results import Finalist, SearchRun

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RESOURCES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "block RAM"}
ERRORS = {"lut_error": "lut", "ff_error": "ff", "fmax_error": "fmax"}
VOLUMES = {"hypervolume_predicted": "theirs", "hypervolume_measured": "ours"}
NETWORKS = {"largest": "ours", "random": "theirs"}
"""What a figure's lines are drawn from, and their styles."""


def letters(run: SearchRun) -> dict[str, str]:
    """A letter for every verified finalist, by its group: the front first, most accurate first."""
    names = (*LETTERS, *(f"{a}{b}" for a in LETTERS for b in LETTERS))
    ordered = [f for f in _ordered(run) if f.verified]
    return {group(run, f): name for f, name in zip(ordered, names, strict=False)}


def view(run: SearchRun, name: str, names: Mapping[str, str]) -> View:
    """All of one run. `names`: letters of finalists by group."""
    ordered = _ordered(run)
    pieces = [strip(f.arch) for f in ordered if f.arch]
    widest = max((p.channels for strips in pieces for p in strips), default=0)
    measured = any(f.measured.lut for f in run.finalists)
    return View(
        run=run,
        name=name,
        energy=_energy(run.device.get("name")),
        cards=[_card(run, f, names, widest) for f in ordered],
        progress=_progress(run),
        resume=going_on(run) if run.state != "done" else None,
        data=data_section(run.data),
        comparisons=diagnostic_plots.predicted_beside_measured(run) if measured else [],
        rounds=_rounds(run),
        supernet=_supernet(run),
        training=_training(run),
        histograms=_histograms(run),
        request=_request(run),
        seconds=_seconds(run.seconds),
    )


def _energy(name: object) -> str:
    """Origins of the coefficients of the device called so; empty where it is unknown."""
    try:
        return power(device(str(name))).origins
    except (RequestError, StopIteration):
        return ""


def _ordered(run: SearchRun) -> list[Finalist]:
    """The front, then what is dominated, then what was not built."""
    front = run.front
    rest = [f for f in run.finalists if f not in front]
    return front + sorted(rest, key=lambda f: (not f.verified, -(f.validation or 0.0), f.key))


def _card(run: SearchRun, finalist: Finalist, names: Mapping[str, str], widest: int) -> Card:
    name = group(run, finalist)
    return Card(
        finalist=finalist,
        letter=names.get(name, ""),
        on_front=finalist in run.front,
        group=name,
        anchor=f"{run.name}-{finalist.key}",
        strip=strip(finalist.arch, widest) if finalist.arch else [],
        bars=_bars(run, finalist),
        faults=_faults(finalist),
        test_interval=test_interval(finalist),
        commands=of_finalist(run, finalist),
        classes=_classes(finalist.confusion),
    )


def _bars(run: SearchRun, finalist: Finalist) -> list[Bar]:
    made = []
    for cost, name in RESOURCES.items():
        used, has = finalist.measured.of(cost), float(run.device.get(cost) or 0)
        predicted = finalist.predicted.of(cost)
        if used is not None and has:
            part = None if predicted is None else 100 * predicted / has
            made.append(Bar(name, used, has, 100 * used / has, predicted, part))
    return made


def _faults(finalist: Finalist) -> list[Fault]:
    """A bar a category; all have one scale."""
    frames = finalist.faults.frames if finalist.faults else {}
    most = max((f.damaged + f.refused for f in frames.values()), default=0) or 1
    return [
        Fault(
            category, f.sent, 100 * f.damaged / most, 100 * f.refused / most, f.harm,
            f"{f.damaged:,} counted as damaged, {f.refused:,} refused by the board; {f.good:,} "
            f"good requests between them: {f.wrong} wrong, {f.lost} lost, {f.hung} hung",
        )
        for category, f in frames.items()
    ]  # fmt: skip


def _classes(matrix: ConfusionMatrix | None) -> list[ClassRow]:
    """A row a class, right ones first; shades by the part of the class."""
    if matrix is None:
        return []
    shares = matrix.per_class
    return [
        ClassRow(name, sum(row), shares[name], [(n, n / (sum(row) or 1)) for n in row])
        for name, row in zip(matrix.classes, matrix.counts, strict=True)
    ]


def _progress(run: SearchRun) -> str:
    if run.state == "done" and not run.building:
        return ""
    done, building = len(run.finalists), run.building
    return (
        f"This search has not ended: {len(run.points):,} points are scored, {done} finalists "
        f"measured, {building} begun."
    )


def _rounds(run: SearchRun) -> list[tuple[str, Plot]]:
    errors = diagnostic_plots.curves(run.rounds, "round", ERRORS, "mean error, %", zero=True)
    volumes = diagnostic_plots.curves(run.rounds, "round", VOLUMES, "hypervolume")
    plots = (("Error of the cost model, by round", errors), ("Hypervolume, by round", volumes))
    return [(heading, plot) for heading, plot in plots if plot]


def _training(run: SearchRun) -> list[tuple[str, Plot]]:
    loss = diagnostic_plots.curves(run.curve, "epoch", {"loss": "loss"}, "loss")
    accuracy = diagnostic_plots.curves(run.curve, "epoch", NETWORKS, "accuracy")
    plots = (("Training loss", loss), ("Validation accuracy", accuracy))
    return [(heading, plot) for heading, plot in plots if plot]


def _histograms(run: SearchRun) -> list[tuple[str, Plot, str]]:
    """(kind, figure, its distances from the two laws in words); the shared tensor comes first."""
    plots = []
    for name, row in sorted(
        run.histograms.items(), key=lambda item: (item[0] != "shared", item[0])
    ):
        laws = (("Gaussian", row.gaussian), ("Laplacian", row.laplacian))
        known = [f"{law} {distance:.3f}" for law, distance in laws if distance is not None]
        plots.append(
            (name, diagnostic_plots.histogram(name, row), f": {', '.join(known)}" if known else "")
        )
    return plots


def _supernet(run: SearchRun) -> str:
    """Its size beside that of networks that share nothing; empty where it is not known."""
    weights, unshared = run.supernet.get("weights"), run.supernet.get("unshared_weights")
    if not weights:
        return ""
    text = f"{weights:,} weights, sharing {run.supernet.get('sharing', 'unknown')}"
    if unshared:
        fewer = 100 * (1 - weights / unshared)
        text += f"; {unshared:,} if nothing were shared, so {fewer:.0f} % fewer"
    return f"{text}."


def _request(run: SearchRun) -> list[tuple[str, str]]:
    """Every part of the request and what it was asked of, in the order of the file."""
    rows = [(k, _said(v)) for k, v in run.request.items() if k not in ("limits", "budget")]
    size = run.space.get("size")
    rows += [
        ("limits", _said(run.request["limits"]) or "those of the board"),
        ("budget", _said(run.plan or run.request["budget"])),
        ("networks in the space", f"{size:,}" if isinstance(size, int) else "unknown"),
        ("device", _said(run.device)),
        ("supernet", str(run.supernet.get("hash") or "")[:12]),
    ]
    return [(name.replace("_", " "), value or "none") for name, value in rows]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _seconds(steps: Mapping[str, float]) -> list[tuple[str, float, float]]:
    most = max(steps.values(), default=0.0) or 1.0
    return [(name, seconds, 100 * seconds / most) for name, seconds in steps.items()]
