"""The choice of a fold for each layer: least cycles an image in a budget, or least area at given
cycles.

For a given number of cycles, each layer takes the cheapest fold candidate that is fast enough, at
prices of the device's resources. When a resource is exceeded its price rises, and all layers choose
again. Bisection gives the least number of cycles for which the choice fits the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gen.cost.cost import CostModel, converters_before
from gen.cost.features import converters
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Cost
from gen.planner.fold_candidates import FoldCandidate, FoldCandidates
from gen.planner.match_widths import WidthMatcher
from gen.support.devices import RESOURCE_NAMES, Device
from gen.support.errors import DoesNotFitError

ROOM = {"ice40-hx8k": 0.75, "ice40-lp8k": 0.75, "gw1nr-9": 0.6}
"""Share of the LUTs that is planned, 0.85 elsewhere. Beyond it place and route becomes slow or
fails: a GW1NR-9 planned at 75 % came to 83 % of its flip-flops, not placed in 10 minutes."""
SCARCITY = {"lut": 1.0, "ff": 0.2, "dsp": 0.1, "bram": 0.3}
"""Initial price of all of a resource: low for multipliers and blocks, which are used first."""
RESOURCES = tuple(SCARCITY)


@dataclass(frozen=True)
class ResourceBudget:
    """What the layers may use together."""

    lut: float
    ff: float
    dsp: int
    bram: int

    @staticmethod
    def of(device: Device, dsps: int | None = None, luts: float | None = None) -> ResourceBudget:
        """Of a device, within ROOM; dsps, luts: at most these."""
        room = ROOM.get(device.name, 0.85)
        return ResourceBudget(
            lut=min(room * device.lut, device.lut if luts is None else luts),
            ff=room * device.ff,
            dsp=device.dsp if dsps is None else min(dsps, device.dsp),
            bram=device.bram,
        )

    def without(self, reserved: Cost) -> ResourceBudget:
        """What is left beside `reserved`."""
        return ResourceBudget(
            max(0.0, self.lut - reserved.lut), max(0.0, self.ff - reserved.ff),
            max(0, self.dsp - reserved.dsp), max(0, self.bram - reserved.bram),
        )  # fmt: skip

    def exceeded(self, used: Cost) -> str | None:
        """The resource that is exceeded most, if any is."""
        ratio = {
            r: getattr(used, r) / max(getattr(self, r), 1e-9) for r in RESOURCES if getattr(used, r)
        }
        worst = max(ratio, key=lambda r: ratio[r])
        return worst if ratio[worst] > 1 else None


class FoldOptimiser:
    """The fold candidates of each layer, priced once; the choice among them, for any budget."""

    def __init__(
        self, layers: Sequence[LoweredLayer], device: Device, model: CostModel | None = None
    ) -> None:
        self.layers, self.device = layers, device
        self.model = model or CostModel.of(device)
        self.offers = [FoldCandidates(layer, device, self.model) for layer in layers]
        self.align = WidthMatcher(layers)
        self._converters: dict[tuple[int, int, int], Cost] = {}

    @property
    def slowest(self) -> tuple[str, int]:
        """The layer that needs most cycles an image when it is as fast as can be, and these."""
        offer = max(self.offers, key=lambda o: int(o.cycles[0]))
        return offer.layer.name, int(offer.cycles[0])

    def choose(self, budget: ResourceBudget, cycles: int | None = None) -> list[FoldCandidate]:
        """The chosen candidate of each layer: least cycles an image within the budget.

        The cost of a layer includes the converters before it. cycles: least area at that many
        cycles an image instead. Raises DoesNotFitError that names the scarce resource when
        nothing fits.
        """
        name, floor = self.slowest
        if cycles is not None and cycles < floor:
            raise DoesNotFitError(
                f"{cycles} cycles an image: layer {name} needs at least {floor}; "
                "ask for fewer images a second"
            )
        all_cycles = np.unique(np.concatenate([o.cycles for o in self.offers]))
        targets = [cycles] if cycles is not None else all_cycles[all_cycles >= floor].tolist()
        chosen, worst = self.pick(targets[-1], budget)
        if worst:
            how = f"at {cycles} cycles an image" if cycles is not None else "fully folded"
            message = _excess(chosen, budget, self.device, worst, how)
            over = getattr(total(chosen), worst) / max(getattr(budget, worst), 1)
            raise DoesNotFitError(message, over)
        low, high = 0, len(targets) - 1
        while low < high:
            middle = (low + high) // 2
            tried, worst = self.pick(targets[middle], budget)
            if worst:
                low = middle + 1
            else:
                high, chosen = middle, tried
        return chosen

    def pick(self, cycles: int, budget: ResourceBudget) -> tuple[list[FoldCandidate], str | None]:
        """The cheapest candidates at rising prices; and the resource still exceeded, or None."""
        price = {r: SCARCITY[r] / max(getattr(budget, r), 0.5) for r in RESOURCES}
        chosen: list[FoldCandidate] = []
        worst: str | None = None
        for _ in range(24):
            now = np.array([price[r] for r in RESOURCES])
            chosen = self._aligned([o.cheapest(now, cycles) for o in self.offers], cycles)
            worst = budget.exceeded(total(chosen))
            if worst is None:
                break
            price[worst] *= 1.5
        return chosen, worst

    def _aligned(self, chosen: Sequence[FoldCandidate], cycles: int) -> list[FoldCandidate]:
        """The candidates with output words matched to the neighbours; costs include converters."""
        before = {la.name: o.fold for la, o in zip(self.layers, chosen, strict=True)}
        after = self.align(before, cycles)
        between = converters_before(self.layers, after)
        options = []
        for offer, option in zip(self.offers, chosen, strict=True):
            name = offer.layer.name
            own = option if after[name] == option.fold else offer.option(after[name])
            glue = sum(map(self._converter, between[name]), Cost())
            options.append(replace(own, cost=own.cost + glue))
        return options

    def _converter(self, words: tuple[int, int, int]) -> Cost:
        """Cost of a converter: arguments of gen.cost.features.converters."""
        if words not in self._converters:
            lut, ff = self.model.price(converters(*words))
            self._converters[words] = Cost(float(lut), float(ff))
        return self._converters[words]


def total(chosen: Sequence[FoldCandidate]) -> Cost:
    """Cost of all layers."""
    return sum((o.cost for o in chosen), Cost())


def _excess(
    chosen: Sequence[FoldCandidate], budget: ResourceBudget, device: Device, worst: str, how: str
) -> str:
    used, has = getattr(total(chosen), worst), getattr(budget, worst)
    helps = {
        "bram": "fewer weights or fewer weight bits",
        "dsp": "shift or add layers in place of mult",
        "lut": "fewer channels, fewer bits, or a lower --fps",
        "ff": "fewer channels or bits",
    }
    return (
        f"does not fit {device.name}: {how} it needs {used:.0f} {RESOURCE_NAMES[worst]}, "
        f"{used - has:.0f} more than the {has:.0f} that may be used; "
        f"what helps: {helps[worst]}, or a larger device"
    )
