"""Accuracy against cost: what a search scored, what it predicted, and the fronts it measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from search.report.svg_plot import Line, Mark, Plot, frame
from search.results.results import Costs, Finalist, Point, SearchRun, by_cost

COSTS = {
    "latency_us": "latency, µs",
    "lut": "LUTs",
    "energy_nj": "predicted energy of an image on the FPGA, nJ",
}
CUT = 0.25
"""Part of the scored points, the least accurate ones, that may fall below a plot."""


def search_plots(run: SearchRun, letters: Mapping[str, str]) -> list[Plot]:
    """One run: scored points, predictions, and the measured front, labelled by `letters`."""
    return [_search_plot(run, letters, cost) for cost in COSTS]


def _search_plot(run: SearchRun, letters: Mapping[str, str], cost: str) -> Plot:
    points = [p for p in run.points if _shown(p, cost)]
    built = [f for f in run.finalists if f.verified]
    least = _floor([_percent(p.accuracy) for p in points], built)
    above = [p for p in points if _percent(p.accuracy) >= least]
    xs = [p.predicted.of(cost) for p in above]
    xs += [c for f in built for c in (f.measured.of(cost), f.searched.of(cost))]
    ys = [p.accuracy for p in above] + [a for f in built for a in (f.expected, f.validation)]
    plot = _empty(cost, xs, ys, least)
    hidden = len(points) - len(above)
    plot.note = f"{hidden:,} scored points below {least:.1f} % are not drawn." if hidden else ""
    plot.alt = f"Accuracy against {COSTS[cost]}: {len(above)} scored, {len(built)} measured"
    _clouds(plot, above, cost)
    plot.stairs("front", [(c, 100 * a) for c, a in by_cost(run.front, cost)])
    for finalist in built:
        _prediction(plot, finalist, cost)
        _measurement(plot, run, finalist, cost, finalist.kind, letters)
    plot.label()
    return plot


def comparison_plots(runs: Sequence[SearchRun]) -> list[Plot]:
    """Several runs: the measured front of each, in its own colour; the first one on top."""
    return [_comparison_plot(runs, cost) for cost in COSTS]


def _comparison_plot(runs: Sequence[SearchRun], cost: str) -> Plot:
    fronts = [run.front for run in runs]
    built = [f for front in fronts for f in front]
    plot = _empty(cost, [f.measured.of(cost) for f in built], [f.validation for f in built])
    plot.alt = f"Accuracy against {COSTS[cost]}: the fronts of {len(runs)} searches"
    for run, front in reversed(list(zip(runs, fronts, strict=True))):
        plot.stairs(f"step {run.style}", [(c, 100 * a) for c, a in by_cost(front, cost)])
        for finalist in front:
            _measurement(plot, run, finalist, cost, run.style, {})
    return plot


def _empty(
    cost: str,
    xs: Iterable[float | None],
    accuracies: Iterable[float | None],
    least: float | None = None,
) -> Plot:
    return frame(
        COSTS[cost], [x for x in xs if x], [_percent(a) for a in accuracies if a is not None],
        labels=(COSTS[cost], "accuracy, %"), scales=("log", "error"), least=least,
    )  # fmt: skip


def _shown(point: Point, cost: str) -> bool:
    return point.fits and point.accuracy is not None and bool(point.predicted.of(cost))


def _floor(accuracies: Sequence[float], built: Sequence[Finalist]) -> float:
    """Where the plot ends below: at every finalist, and at all but CUT of the scored points."""
    ranked = sorted(accuracies)
    cut = ranked[int(CUT * len(ranked))] if ranked else 100.0
    finals = [_percent(a) for f in built for a in (f.expected, f.validation) if a is not None]
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


def _prediction(plot: Plot, finalist: Finalist, cost: str) -> None:
    """A line from where the search saw the finalist to where it was measured."""
    predicted = finalist.searched.of(cost)
    if predicted and finalist.expected is not None:
        x0, y0 = plot.x.at(predicted), plot.y.at(_percent(finalist.expected))
        x, y = _spot(plot, finalist, cost)
        plot.lines.append(Line("predicted", f"M{x0:g} {y0:g}L{x:g} {y:g}"))
        plot.lines.append(Line(f"start {finalist.kind}", f"M{x0:g} {y0:g}h0"))


def _measurement(
    plot: Plot,
    run: SearchRun,
    finalist: Finalist,
    cost: str,
    style: str,
    letters: Mapping[str, str],
) -> None:
    (x, y), name = _spot(plot, finalist, cost), group(run, finalist)
    letter = letters.get(name, "")
    dominated = "" if finalist in run.front else " dominated"
    plot.marks.append(Mark(x, y, style + dominated, name, letter))
    plot.hits.append((x, y, told(finalist, letter or run.title), name))


def _spot(plot: Plot, finalist: Finalist, cost: str) -> tuple[float, float]:
    return plot.x.at(finalist.measured.of(cost) or 1.0), plot.y.at(_percent(finalist.validation))


def told(point: Point | Finalist, letter: str = "") -> str:
    """What a pointer over a point is told, line by line."""
    kinds = " ".join(point.kinds) or "products at the ends alone"
    name = f"{letter} · {point.key}" if letter else point.key
    if isinstance(point, Point):
        how = f"{_percent(point.accuracy):.1f} % expected"
        return f"{name}\n{kinds}\n{how}\npredicted {_costs(point.predicted)}"
    how = f"{_percent(point.validation):.1f} % validation"
    if point.test is not None:
        how += f", {_percent(point.test):.1f} % test"
    return f"{name}\n{kinds}\n{how}\nmeasured {_costs(point.measured)}"


def _costs(costs: Costs) -> str:
    parts = ((costs.lut, "LUT", 0), (costs.latency_us, "µs", 1), (costs.energy_nj, "nJ", 1))
    return ", ".join(f"{value:,.{d}f} {unit}" for value, unit, d in parts if value is not None)


def group(run: SearchRun, finalist: Finalist) -> str:
    """Names a finalist on a page of several runs."""
    return f"{run.place}/{finalist.key}"


def _percent(part: float | None) -> float:
    return 100 * (part or 0.0)
