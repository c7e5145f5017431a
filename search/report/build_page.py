"""A report's page: its title, what it says first, and the plots that all runs share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from model.kinds import ordered_kinds
from search.report import pareto_plots
from search.report.page_model import Fact, Page
from search.report.run_section import letters, view
from search.report.svg_plot import Plot
from search.results.answer import answer
from search.results.compare import Gain, gain, volumes
from search.results.results import Finalist, SearchRun

BOARD_NAMES = {"ice40": "iCE40", "ecp5": "ECP5", "gowin": "Gowin"}
ALONE = (
    "No network of a single kind is among those measured; to see what mixing gains, search with "
    f"--kinds {', '.join(ordered_kinds()[:-1])} or {ordered_kinds()[-1]} too, and name those runs "
    "after this one in shiftadd report."
)
LEGEND = {name: name for name in ordered_kinds()} | {"mixed": "mixed kinds"}


def page(runs: Sequence[SearchRun], command: str) -> Page:
    """The page of one run, or of several of which the first is compared with the others."""
    names = _names(runs)
    marks = {group: letter for run in runs for group, letter in letters(run).items()}
    single = len(runs) == 1
    plotted = any(run.front or (single and run.points) for run in runs)
    gains = [] if single else _gains(runs, names)
    sizes, tested = (
        {} if single else _volumes(runs, names, split) for split in ("validation", "test")
    )
    return Page(
        title=_title(runs[0]),
        lede=_lede(runs[0]) if single else _lede_of_several(gains, sizes, tested),
        facts=_facts(runs[0], marks) if single else [],
        views=[view(run, name, marks) for run, name in zip(runs, names, strict=True)],
        pareto=_plots(runs, marks) if plotted else [],
        legend=_legend(runs[0])
        if single
        else [(r.style, n) for r, n in zip(runs, names, strict=True)],
        gains=gains,
        volumes=sizes,
        empty="" if plotted else "There is nothing to plot yet.",
        command=command,
    )


def _plots(runs: Sequence[SearchRun], marks: Mapping[str, str]) -> list[Plot]:
    if len(runs) == 1:
        return pareto_plots.search_plots(runs[0], marks)
    return pareto_plots.comparison_plots(runs)


def _names(runs: Sequence[SearchRun]) -> list[str]:
    """Titles; with the folder where two runs would have the same."""
    often = Counter(run.title for run in runs)
    return [r.title if often[r.title] == 1 else f"{r.title}, {r.name}" for r in runs]


def _title(run: SearchRun) -> str:
    data, board = (str(run.request.get(name, name)) for name in ("data", "board"))
    return f"{Path(data).name} on {board}"


def _legend(run: SearchRun) -> list[tuple[str, str]]:
    seen = {p.kind for p in run.points} | {f.kind for f in run.finalists}
    known = [(kind, name) for kind, name in LEGEND.items() if kind in seen]
    return known + [(kind, kind) for kind in sorted(seen - set(LEGEND))]


def _volumes(runs: Sequence[SearchRun], names: Sequence[str], split: str) -> dict[str, float]:
    """Hypervolume of each measured front by name, as parts of one box around all of them, with
    accuracies on `split`; none where a network lacks that accuracy."""
    measured = [run.front for run in runs]
    every = [finalist for one in measured for finalist in one]
    if any(getattr(f, split) is None for f in every):
        return {}
    classes = next((f.arch.classes for f in every if f.arch), 10)
    return dict(zip(names, volumes(measured, classes, split), strict=True))


def _gains(runs: Sequence[SearchRun], names: Sequence[str]) -> list[Gain]:
    first, *others = runs
    gains = (
        gain(first.front, run.front, (names[0], name), run.style)
        for run, name in zip(others, names[1:], strict=True)
    )
    return [g for g in gains if g]


def _inner(run: SearchRun) -> list[Gain]:
    """Networks of mixed kinds against those of one kind, among the finalists of one run."""
    mixed = [f for f in run.finalists if f.kind == "mixed"]
    kinds = sorted({f.kind for f in run.finalists} - {"mixed"})
    gains = (
        gain(mixed, [f for f in run.finalists if f.kind == k], ("mixing kinds", f"all {k}"), k)
        for k in kinds
    )
    return [g for g in gains if g]


def _lede(run: SearchRun) -> list[str]:
    """What was found, and what it beats."""
    front, gains = run.front, _inner(run)
    if not front:
        return ["No network has been placed, routed and proven yet."]
    best, quick = front[0], min(front, key=lambda f: f.measured.latency_us or 0.0)
    many = "One network" if len(front) == 1 else f"A front of {len(front)} networks"
    span = f": {_told(best)}" if best is quick else f", from {_told(best)} to {_told(quick)}"
    tested = "" if best.test is None else f"; {100 * best.test:.1f} % on the test images"
    told = answer(run)
    first = [f"{told[0].upper()}{told[1:]}."] if told else []
    return [*first, f"{many}{span}{tested}.", *(beats(g) for g in gains), *_alone(run)]


def _alone(run: SearchRun) -> list[str]:
    """What is said where only mixed networks were measured."""
    return [ALONE] if {f.kind for f in run.finalists if f.verified} == {"mixed"} else []


def _lede_of_several(
    gains: Sequence[Gain], sizes: Mapping[str, float], tested: Mapping[str, float]
) -> list[str]:
    if not gains:
        return ["Fewer than two of these runs have a measured network yet."]
    told = [f"Hypervolume of the measured fronts: {_ranked(sizes)}."]
    if tested:
        told.append(f"By the test images, which no choice has seen: {_ranked(tested)}.")
    return [*told, *(beats(g) for g in gains)]


def _ranked(sizes: Mapping[str, float]) -> str:
    ordered = sorted(sizes.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {size:.3f}" for name, size in ordered)


def _told(finalist: Finalist) -> str:
    return (
        f"{100 * (finalist.validation or 0):.1f} % in {finalist.measured.latency_us:.1f} µs "
        f"on {finalist.measured.lut:,.0f} LUTs"
    )


def beats(gain: Gain) -> str:
    """One sentence, losses included."""
    costs = {"lut": "LUTs", "latency_us": "latency", "energy_nj": "energy"}
    parts = [_change(gain.saved(cost), name) for cost, name in costs.items()]
    ahead = round(100 * (gain.best[0] - gain.best[1]), 1)
    level = f"{abs(ahead):.1f} points {'more' if ahead > 0 else 'less'}" if ahead else "as much"
    return (
        f"At {100 * gain.accuracy:.1f} %, {gain.name} takes {parts[0]}, {parts[1]} and "
        f"{parts[2]}, compared with {gain.other}; at its best it reaches {level}."
    )


def _change(saved: float, name: str) -> str:
    """Our cost beside theirs, in words; beyond twice theirs as a multiple."""
    if saved < -1:
        return f"{1 - saved:,.1f} times the {name}"
    less = "fewer" if name == "LUTs" else "less"
    return f"{100 * abs(saved):.0f} % {less if saved >= 0 else 'more'} {name}"


def _facts(run: SearchRun, names: dict[str, str]) -> list[Fact]:
    """The extremes of the front, and how much was looked at and proven."""
    front, size = run.front, run.space.get("size")
    facts = []
    for title, unit, digits, cost in (
        ("fewest LUTs", "LUT", 0, "lut"),
        ("lowest latency", "µs", 1, "latency_us"),
        ("least predicted energy per image", "nJ", 1, "energy_nj"),
    ):
        if front:
            least = min(front, key=lambda f: f.measured.of(cost) or 0.0)
            value = f"{least.measured.of(cost):,.{digits}f}"
            facts.append(Fact(title, value, unit, _where(run, least, names)))
    if front:
        best = max(front, key=lambda f: f.validation or 0.0)
        test = best.test if best.test is not None else best.validation or 0.0
        what = "test accuracy of the best" if best.test is not None else "validation accuracy"
        facts.insert(0, Fact(what, f"{100 * test:.1f}", "%", _where(run, best, names)))
    shares = len({p.share for p in run.points})
    of = f"of {size:,} networks, at {shares} shares" if isinstance(size, int) else ""
    facts.append(Fact("points scored", f"{len(run.points):,}", "", of))
    images = sum(f.images for f in run.finalists)
    wrong = sum(f.mismatches for f in run.finalists)
    proof = Fact("RTL images that differ", f"{wrong:,}", "", f"of {images:,} simulated")
    return [*facts, proof] if images else facts


def _where(run: SearchRun, finalist: Finalist, names: dict[str, str]) -> str:
    letter = names.get(pareto_plots.group(run, finalist), finalist.key)
    return f"{letter}, {100 * (finalist.validation or 0):.1f} % validation"
