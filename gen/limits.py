"""Limits of a build: plans that leave room for the errors of the cost model, so that what is asked
for is usually met at once; and what would meet it where it was not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gen.plan.plan import Plan, inferences_per_s
from gen.support.devices import FamilyName
from gen.support.errors import DoesNotFitError
from gen.support.promises import Promise, missed, requested

ATTEMPTS = 5
"""Plans at most, each for the clock that the one before it is sure of."""
SPARE = 0.99
"""Of what a measurement gave, what advice counts on."""
SEEDS = "--seeds 8 (the best of eight placements)"


class SurePart(NamedTuple):
    """What nine of ten networks reach of the clock, and keep to in LUTs, as parts of what the cost
    model predicts when it has not seen them: `python -m gen.calibrate.evaluate`."""

    clock: float
    lut: float


SURE: dict[FamilyName, SurePart] = {
    "ecp5": SurePart(0.81, 0.97), "ice40": SurePart(0.80, 0.98), "gowin": SurePart(0.80, 0.97),
}  # fmt: skip


def sure_plan(
    make: Callable[[float | None, float | None], Plan],
    clock: Callable[[Plan], float],
    family: FamilyName,
    *,
    fps: float | None = None,
    mhz: float | None = None,
    luts: float | None = None,
) -> Plan:
    """A plan that still keeps to fps and luts if the cost model errs as in SURE.

    make: a plan for fps at a clock of mhz (None: the device's usual one) within luts. clock: the
    predicted one of a plan, in MHz. mhz: the clock that place and route has to meet, to be planned
    with as it is. Where nothing fits with that room, it is as much as fits. Raises what `make`
    does.
    """
    sure = SURE[family]
    plan = _roomy(lambda most: make(mhz, most), luts, sure.lut)
    if fps is None or mhz is not None:
        return plan
    for _ in range(ATTEMPTS):
        counted_on = sure.clock * clock(plan)
        if inferences_per_s(plan.cycles_interval, counted_on) >= fps:
            break
        try:
            plan = _roomy(lambda most: make(counted_on, most), luts, sure.lut)  # noqa: B023
        except DoesNotFitError:
            break
    return plan


def _roomy(make: Callable[[float | None], Plan], luts: float | None, part: float) -> Plan:
    if luts is None:
        return make(None)
    try:
        return make(part * luts)
    except DoesNotFitError:
        return make(luts)


def remedies(
    promises: tuple[Promise, ...], make: Callable[..., Plan], measured: Mapping[str, Any]
) -> tuple[str, ...]:
    """A line for each promise that was missed: by how much, and what would meet it.

    make: the plan of a request with another fps or luts; measured: the figures of the build.
    """
    ways = {"fps": _faster, "luts": _smaller, "mhz": _slower}
    return tuple(
        f"{one}; {ways[one.name](one, make, measured)}" if one.name in ways else str(one)
        for one in missed(promises)
    )


def _faster(promise: Promise, make: Callable[..., Plan], measured: Mapping[str, Any]) -> str:
    """The rate to plan for whose cycles are few enough at the clock that was measured."""
    mhz = float(measured["fmax_mhz"])
    asked = math.ceil(promise.asked * promise.asked / (SPARE * float(promise.measured or 0)))
    try:
        plan = make(fps=asked)
    except DoesNotFitError:
        return f"no faster plan fits; {SEEDS}, a smaller network or a larger device may meet it"
    if inferences_per_s(plan.cycles_interval, SPARE * mhz) < promise.asked:
        return f"{SEEDS}, a smaller network or a larger device may meet it"
    return (
        f"{requested('fps', asked)} plans {plan.cycles_interval:,} cycles an image in "
        f"{plan.cost.lut:,.0f} LUTs, which meets it at the {mhz:.1f} MHz measured; or {SEEDS}"
    )


def _smaller(promise: Promise, make: Callable[..., Plan], measured: Mapping[str, Any]) -> str:
    """The LUTs to plan for when as many more are taken again."""
    asked = math.floor(promise.asked * promise.asked * SPARE / float(promise.measured or 1))
    try:
        make(luts=asked)
    except DoesNotFitError:
        return "no smaller plan of this network meets the rest; train a smaller one"
    return f"{requested('luts', asked)} leaves room for that error of the prediction"


def _slower(promise: Promise, make: Callable[..., Plan], measured: Mapping[str, Any]) -> str:
    met = math.floor(10 * float(promise.measured or 0)) / 10
    return f"{SEEDS} may meet it, {requested('mhz', met)} is met as it is"
