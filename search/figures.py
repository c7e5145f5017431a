"""The figures of a search report: which values of a run go into which plot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import exp, pi, sqrt
from typing import Any

from search.axes import axis
from search.plots import Line, Mark, Plot, frame
from search.results import Costs, Finalist, Point, Run, by_cost

COSTS = {
    "latency_us": "latency, µs",
    "lut": "LUTs",
    "energy_nj": "energy per image, nJ",
}
FORETOLD = {
    "lut": "LUTs",
    "ff": "flip-flops",
    "fmax_mhz": "clock, MHz",
    "latency_us": "latency, µs",
}
LAWS = ("gaussian", "laplacian")
SMALL = (290.0, 270.0)
WIDE = (400.0, 250.0)
CUT = 0.1
"""Part of the scored points, the least accurate ones, that may fall below a plot."""


def pareto(runs: Sequence[Run], letters: Mapping[str, str]) -> list[Plot]:
    """Accuracy against each cost: scored points, predictions, and the measured front of each run.

    One run: marks by kind of network, labelled by `letters` (from keys). Several: marks by run.
    """
    return [_pareto(runs, letters, cost) for cost in COSTS]


def _pareto(runs: Sequence[Run], letters: Mapping[str, str], cost: str) -> Plot:
    single = len(runs) == 1
    points = [p for run in runs for p in run.points if _shown(p, cost)]
    built = [f for run in runs for f in run.finalists if f.sound]
    accuracies = [_percent(p.accuracy) for p in points]
    least = _floor(accuracies, built)
    above = [p for p in points if _percent(p.accuracy) >= least]
    xs = [c for p in above if (c := p.predicted.of(cost))]
    xs += [c for f in built for c in (f.measured.of(cost), f.searched.of(cost)) if c]
    ys = [_percent(p.accuracy) for p in above]
    ys += [_percent(a) for f in built for a in (f.inherited, f.validation) if a is not None]
    plot = frame(
        COSTS[cost], xs, ys, labels=(COSTS[cost], "accuracy, %"), logs=(True, False),
        least=least, most=100.0,
    )  # fmt: skip
    hidden = len(points) - len(above)
    plot.note = f"{hidden:,} scored points below {least:.1f} % are not drawn." if hidden else ""
    plot.alt = f"Accuracy against {COSTS[cost]}: {len(above)} scored, {len(built)} measured"
    _clouds(plot, above, cost)
    for run in runs:
        style = run.style if not single else "front"
        plot.stairs(style, [(c, 100 * a) for c, a in by_cost(run.front, cost)])
        for finalist in run.finalists:
            if finalist.sound:
                style = finalist.kind if single else run.style
                _measured(plot, finalist, cost, style, letters.get(group(run, finalist), ""), run)
    plot.label()
    return plot


def _shown(point: Point, cost: str) -> bool:
    return point.fits and point.accuracy is not None and bool(point.predicted.of(cost))


def _floor(accuracies: Sequence[float], built: Sequence[Finalist]) -> float:
    """Where the plot ends below: at every finalist, and at all but CUT of the scored points."""
    ranked = sorted(accuracies)
    cut = ranked[int(CUT * len(ranked))] if ranked else 100.0
    finals = [_percent(a) for f in built for a in (f.inherited, f.validation) if a is not None]
    return min([cut, *finals], default=0.0) - 0.5


def _clouds(plot: Plot, points: Iterable[Point], cost: str) -> None:
    spots: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        x = plot.x.at(point.predicted.of(cost) or 1.0)
        y = plot.y.at(_percent(point.accuracy))
        spots.setdefault(point.kind, []).append((x, y))
        plot.hits.append((x, y, told(point), ""))
    for kind in sorted(spots, key=lambda k: (k != "mixed", k)):
        plot.cloud(kind, spots[kind])


def _measured(plot: Plot, finalist: Finalist, cost: str, style: str, letter: str, run: Run) -> None:
    x = plot.x.at(finalist.measured.of(cost) or 1.0)
    y = plot.y.at(_percent(finalist.validation))
    foretold = finalist.searched.of(cost)
    if foretold and finalist.inherited is not None:
        x0, y0 = plot.x.at(foretold), plot.y.at(_percent(finalist.inherited))
        plot.lines.append(Line("foretold", f"M{x0:g} {y0:g}L{x:g} {y:g}"))
        plot.lines.append(Line(f"start {style}", f"M{x0:g} {y0:g}h0"))
    beaten = "" if finalist in run.front else " beaten"
    tip = told(finalist, letter)
    plot.marks.append(Mark(x, y, style + beaten, tip, group(run, finalist), letter))
    plot.hits.append((x, y, tip, group(run, finalist)))


def told(point: Point | Finalist, letter: str = "") -> str:
    """What a pointer over a point is told, line by line."""
    kinds = " ".join(point.kinds) or "no inner layer"
    name = f"{letter} · {point.key}" if letter else point.key
    if isinstance(point, Point):
        how = f"{_percent(point.accuracy):.1f} % inherited"
        return f"{name}\n{kinds}\n{how}\npredicted {_costs(point.predicted)}"
    how = f"{_percent(point.validation):.1f} % validation"
    if point.test is not None:
        how += f", {_percent(point.test):.1f} % test"
    return f"{name}\n{kinds}\n{how}\nmeasured {_costs(point.measured)}"


def _costs(costs: Costs) -> str:
    parts = ((costs.lut, "LUT", 0), (costs.latency_us, "µs", 1), (costs.energy_nj, "nJ", 1))
    return ", ".join(f"{value:,.{d}f} {unit}" for value, unit, d in parts if value is not None)


def foretold(runs: Sequence[Run]) -> list[tuple[Plot, float | None]]:
    """Predicted against measured figures of all finalists, and their mean absolute error, %."""
    return [_foretold(runs, cost) for cost in FORETOLD]


def _foretold(runs: Sequence[Run], cost: str) -> tuple[Plot, float | None]:
    pairs = [
        (run, f, p, m)
        for run in runs
        for f in run.finalists
        if (p := f.predicted.of(cost)) and (m := f.measured.of(cost))
    ]
    values = [v for *_, p, m in pairs for v in (p, m)]
    plot = frame(
        FORETOLD[cost], values, values, size=SMALL, labels=("predicted", "measured"),
        logs=(True, True),
    )  # fmt: skip
    low, high = plot.x.low, plot.x.high
    for style, by in (("band", 1.1), ("even", 1.0), ("band", 1 / 1.1)):
        ends = [(low, low * by), (high, high * by)]
        plot.lines.append(Line(style, _clipped(plot, ends)))
    for run, f, p, m in pairs:
        x, y = plot.x.at(p), plot.y.at(m)
        tip = f"{f.key}\npredicted {p:,.4g}, measured {m:,.4g}\n{100 * (p - m) / m:+.1f} %"
        plot.marks.append(Mark(x, y, f.kind, tip, group(run, f)))
        plot.hits.append((x, y, tip, group(run, f)))
    errors = [100 * abs(p - m) / m for *_, p, m in pairs]
    return plot, sum(errors) / len(errors) if errors else None


def _clipped(plot: Plot, ends: Sequence[tuple[float, float]]) -> str:
    """A line parallel to the diagonal, on a plot whose two axes are alike, cut at its frame."""
    by = ends[0][1] / ends[0][0]
    low, high = plot.x.low, plot.x.high
    from_x, to_x = max(low, low / by), min(high, high / by)
    spots = [(plot.x.at(x), plot.y.at(x * by)) for x in (from_x, to_x)]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in spots)


def curves(
    rows: Sequence[Mapping[str, Any]],
    x: str,
    series: Mapping[str, tuple[str, float]],
    title: str,
    labels: tuple[str, str],
    *,
    least: float | None = None,
    most: float | None = None,
) -> Plot | None:
    """Lines over `x`; `series`: from the rows' keys to (style, factor). None without values."""
    found = {
        key: [(float(r[x]), float(r[key]) * by) for r in rows if r.get(key) is not None]
        for key, (_, by) in series.items()
    }
    pairs = [pair for line in found.values() for pair in line]
    if not pairs:
        return None
    plot = frame(
        title, [p[0] for p in pairs], [p[1] for p in pairs], size=WIDE, labels=labels,
        least=least, most=most,
    )  # fmt: skip
    for key, (style, _) in series.items():
        plot.polyline(f"curve {style}", found[key], key.replace("_", " "))
        for a, b in found[key]:
            spot = plot.x.at(a), plot.y.at(b)
            plot.hits.append((*spot, f"{key.replace('_', ' ')}\n{labels[0]} {a:g}: {b:,.4g}", ""))
            if len(found[key]) < 12:
                plot.lines.append(Line(f"dot {style}", f"M{spot[0]:g} {spot[1]:g}h0"))
    return plot


def histogram(name: str, row: Mapping[str, Any]) -> Plot:
    """Density of trained weights, with the two laws of the same location and width."""
    edges, counts = [float(e) for e in row["edges"]], [float(c) for c in row["counts"]]
    bins, total = list(pairwise(edges)), sum(counts) or 1.0
    density = [c / total / (b - a) for c, (a, b) in zip(counts, bins, strict=True)]
    curves = _laws(bins, [c / total for c in counts], edges)
    top = max([*density, *(y for law in curves.values() for _, y in law)])
    plot = frame(name, edges, [0.0, top], size=SMALL, labels=("weight", "density"), least=0.0)
    plot.x = axis(edges, plot.x.start, plot.x.end, label="weight")
    base = plot.y.at(0.0)
    bars = "".join(
        f"M{plot.x.at(a):g} {base:g}V{plot.y.at(d):g}H{plot.x.at(b):g}V{base:g}"
        for (a, b), d in zip(bins, density, strict=True)
    )
    plot.lines.append(Line(f"bars {name}", bars))
    for law, pairs in curves.items():
        plot.polyline(f"law {law}", pairs, law)
    return plot


def _laws(
    bins: Sequence[tuple[float, float]], parts: Sequence[float], edges: Sequence[float]
) -> dict[str, list[tuple[float, float]]]:
    """Gaussian by mean and deviation, Laplacian by mean and mean absolute deviation of the bins."""
    centres = [(a + b) / 2 for a, b in bins]
    mean = sum(p * c for p, c in zip(parts, centres, strict=True))
    spread = sum(p * (c - mean) ** 2 for p, c in zip(parts, centres, strict=True))
    sigma = sqrt(spread) or 1.0
    scale = sum(p * abs(c - mean) for p, c in zip(parts, centres, strict=True)) or 1.0
    low, high = edges[0], edges[-1]
    xs = sorted({low + (high - low) * i / 120 for i in range(121)} | {mean})
    return {
        "gaussian": [
            (x, exp(-((x - mean) ** 2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))) for x in xs
        ],
        "laplacian": [(x, exp(-abs(x - mean) / scale) / (2 * scale)) for x in xs],
    }


def group(run: Run, finalist: Finalist) -> str:
    return f"{os.fspath(run.folder)}/{finalist.key}"


def _percent(part: float | None) -> float:
    return 100 * (part or 0.0)
