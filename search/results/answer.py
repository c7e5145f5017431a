"""The answer to what a search was for: one network, in one sentence."""

from __future__ import annotations

from math import sqrt

from search.results.results import Finalist, SearchRun

SURE = 1.96
"""Standard deviations of a normal law within which 95 % lie."""


def interval(right: float, count: int) -> tuple[float, float]:
    """Between which accuracies, with 95 %, lies that of a network of which `right`, a share of
    `count` images, is right (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    squared = SURE**2 / count
    middle = (right + squared / 2) / (1 + squared)
    reach = SURE * sqrt(right * (1 - right) / count + squared / count / 4) / (1 + squared)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def chosen(run: SearchRun) -> Finalist | None:
    """The network of the front that its goal asks for; None where there is none."""
    goal = run.request.get("goal") or {}
    least = goal.get("min_accuracy") or 0.0
    fits = [one for one in run.front if (one.validation or 0.0) >= least]
    if goal.get("name") == "smallest":
        return min(fits, key=lambda one: (one.measured.lut or 0.0, one.key), default=None)
    return fits[0] if fits else None


def answer(run: SearchRun) -> str:
    """What it is, what it reaches and what it costs."""
    goal = run.request.get("goal") or {}
    least = goal.get("min_accuracy")
    one = chosen(run)
    if one is None:
        reached = max((f.validation or 0.0 for f in run.front), default=None)
        if least is None or reached is None:
            return ""
        return (
            f"no network reaches --min-accuracy {least:g}: the best has {reached:.4f} by "
            "validation; ask for less, or search with more --epochs and --trained"
        )
    what = "most accurate that fits"
    if goal.get("name") == "smallest":
        what = f"fewest LUTs at {least:g} or more"
    costs = one.measured
    return (
        f"{what}: {one.key}, {100 * (one.validation or 0):.1f} % by validation{_tested(one)}, "
        f"{costs.lut:,.0f} LUTs, {costs.latency_us:,.1f} µs, {costs.energy_nj:,.0f} nJ"
    )


def test_interval(one: Finalist) -> tuple[float, float] | None:
    """That of its accuracy on the test images; None where it is unknown of how many."""
    count = one.confusion.total if one.confusion else 0
    return None if one.test is None or not count else interval(one.test, count)


def _tested(one: Finalist) -> str:
    if one.test is None:
        return ""
    said, ends = f", {100 * one.test:.1f} % of ", test_interval(one)
    if ends is None or one.confusion is None:
        return f"{said}the test images"
    low, high = (100 * end for end in ends)
    return f"{said}{one.confusion.total:,} test images ({low:.1f} to {high:.1f} with 95 %)"
