"""Prediction beside measurement, training curves and histograms, as plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp, pi, sqrt

from search.report.pareto_plots import group
from search.report.svg_plot import Line, Mark, Plot, frame
from search.results.results import Histogram, SearchRun

COMPARED = {
    "lut": "LUTs",
    "ff": "flip-flops",
    "fmax_mhz": "clock, MHz",
    "latency_us": "latency, µs",
}
SMALL = (290.0, 270.0)
WIDE = (400.0, 260.0)
FEW = 12
"""Curves over fewer values than this show each of them."""


def predicted_beside_measured(run: SearchRun) -> list[tuple[Plot, float | None]]:
    """Predicted against measured figures of all finalists, and their mean absolute error, %."""
    return [_predicted_beside(run, cost) for cost in COMPARED]


def _predicted_beside(run: SearchRun, cost: str) -> tuple[Plot, float | None]:
    pairs = [
        (f, p, m)
        for f in run.finalists
        if (p := f.predicted.of(cost)) and (m := f.measured.of(cost))
    ]
    values = [v for _, p, m in pairs for v in (p, m)]
    plot = frame(
        COMPARED[cost], values, values, size=SMALL, labels=("predicted", "measured"),
        scales=("log", "log"),
    )  # fmt: skip
    for style, by in (("band", 1.1), ("even", 1.0), ("band", 1 / 1.1)):
        plot.lines.append(Line(style, _diagonal(plot, by)))
    for f, p, m in pairs:
        x, y, name = plot.x.at(p), plot.y.at(m), group(run, f)
        tip = f"{f.key}\npredicted {p:,.4g}, measured {m:,.4g}\n{100 * (p - m) / m:+.1f} %"
        plot.marks.append(Mark(x, y, f.kind, name))
        plot.hits.append((x, y, tip, name))
    errors = [100 * abs(p - m) / m for _, p, m in pairs]
    return plot, sum(errors) / len(errors) if errors else None


def _diagonal(plot: Plot, by: float) -> str:
    """The line y = by · x on a plot whose two axes are alike, cut at its frame."""
    low, high = plot.x.low, plot.x.high
    ends = max(low, low / by), min(high, high / by)
    return "M" + "L".join(f"{plot.x.at(x):g} {plot.y.at(x * by):g}" for x in ends)


def curves(
    rows: Sequence[Mapping[str, float]],
    x: str,
    series: Mapping[str, str],
    label: str,
    *,
    zero: bool = False,
) -> Plot | None:
    """Lines over `x`; `series`: from keys of the rows to styles. None without any value.

    zero: whether the vertical axis begins there.
    """
    points = {key: [(r[x], r[key]) for r in rows if x in r and key in r] for key in series}
    pairs = [pair for line in points.values() for pair in line]
    if not pairs:
        return None
    xs, ys = zip(*pairs, strict=True)
    whole, least = ((*ys, 0.0), 0.0) if zero else (ys, None)
    plot = frame(label, xs, whole, size=WIDE, labels=(x, label), least=least)
    if len({*xs}) < FEW:
        plot.x = replace(plot.x, at_values=tuple(sorted({*xs})))
    for key, style in series.items():
        plot.polyline(f"curve {style}", points[key])
        for a, b in points[key]:
            spot = plot.x.at(a), plot.y.at(b)
            plot.hits.append((*spot, f"{key.replace('_', ' ')}\n{x} {a:g}: {b:,.4g}", ""))
            if len({*xs}) < FEW:
                plot.lines.append(Line(f"dot {style}", f"M{spot[0]:g} {spot[1]:g}h0"))
    return plot


def histogram(name: str, row: Histogram) -> Plot:
    """Density of trained weights, with the two laws of the same location and width."""
    bins, total = list(pairwise(row.edges)), sum(row.counts) or 1.0
    density = [c / total / (b - a) for c, (a, b) in zip(row.counts, bins, strict=True)]
    laws = _laws(bins, [c / total for c in row.counts])
    top = max([*density, *(y for law in laws.values() for _, y in law)])
    plot = frame(
        name, row.edges, [0.0, top], size=SMALL, labels=("weight", "density"), least=0.0
    )  # fmt: skip
    base = plot.y.at(0.0)
    bars = "".join(
        f"M{plot.x.at(a):g} {base:g}V{plot.y.at(d):g}H{plot.x.at(b):g}V{base:g}"
        for (a, b), d in zip(bins, density, strict=True)
    )
    plot.lines.append(Line(f"bars {name}", bars))
    for law, pairs in laws.items():
        plot.polyline(f"law {law}", pairs)
    return plot


def _laws(
    bins: Sequence[tuple[float, float]], parts: Sequence[float]
) -> dict[str, list[tuple[float, float]]]:
    """Gaussian by mean and deviation, Laplacian by mean and mean absolute deviation of the bins."""
    centres = [(a + b) / 2 for a, b in bins]
    mean = sum(p * c for p, c in zip(parts, centres, strict=True))
    spread = sum(p * (c - mean) ** 2 for p, c in zip(parts, centres, strict=True))
    sigma = sqrt(spread) or 1.0
    scale = sum(p * abs(c - mean) for p, c in zip(parts, centres, strict=True)) or 1.0
    low, high = bins[0][0], bins[-1][1]
    xs = sorted({low + (high - low) * i / 120 for i in range(121)} | {mean})
    return {
        "gaussian": [
            (x, exp(-((x - mean) ** 2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))) for x in xs
        ],
        "laplacian": [(x, exp(-abs(x - mean) / scale) / (2 * scale)) for x in xs],
    }
