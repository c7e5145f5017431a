"""The choice of a fold for each layer: least cycles an image in a budget, or least area at given
cycles.

For a given number of cycles, each layer takes the cheapest fold candidate that is fast enough, at
prices of the device's resources. When a resource is exceeded its price rises, and all layers choose
again. Bisection gives the least number of cycles for which the choice fits the budget. Prices alone
leave some of a scarce resource idle, since all layers answer to a price at once; so layers then
choose again one by one, each from all that the others leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from gen.cost.cost import CostModel, converters_before
from gen.cost.features import converters
from gen.cost.wired_features import Graphs
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Cost
from gen.planner.fold_candidates import BYTE, FoldCandidate, FoldCandidates, excess, port_folds
from gen.planner.match_widths import WidthMatcher
from gen.support.devices import RESOURCE_NAMES, Device
from gen.support.errors import DoesNotFitError

ROOM = {"ice40-hx8k": 0.75, "ice40-lp8k": 0.75, "gw1nr-9": 0.6}
"""Share of the LUTs that is planned, 0.85 elsewhere. Beyond it place and route becomes slow or
fails: a GW1NR-9 planned at 75 % came to 83 % of its flip-flops, not placed in 10 minutes."""
DSP_ROOM = {"gw1nr-9": 0.9}
"""Share of the multipliers that is planned, all elsewhere: 40 products of 9×9 bits are placed on a
GW1NR-9, but of 28 beside 18×18 no more than 4, of 32 no 4."""
SCARCITY = {"lut": 1.0, "ff": 0.2, "dsp": 0.01, "bram": 0.01}
"""Price of all of a resource while it is idle: next to nothing for multipliers and blocks, which
are used first, but not for a few LUTs each."""
RISES = 16
"""How often the price of what is exceeded may rise."""
SWEEPS = 3
"""How often all layers choose again, one by one."""
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
        room, most = ROOM.get(device.name, 0.85), int(DSP_ROOM.get(device.name, 1) * device.dsp)
        return ResourceBudget(
            lut=min(room * device.lut, device.lut if luts is None else luts),
            ff=room * device.ff,
            dsp=most if dsps is None else min(dsps, most),
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
        self, layers: Sequence[LoweredLayer], device: Device, model: CostModel | None = None, *,
        port: int = BYTE, graphs: Graphs = "own",
    ) -> None:  # fmt: skip
        self.layers, self.device = layers, device
        self.model = model or CostModel.of(device)
        ports = [fold.lanes for fold in port_folds(layers[0], port)]
        least = prod(layers[0].out.shape) // ports[-1]
        self.offers = [
            FoldCandidates(layer, device, self.model, port=port, least=least, graphs=graphs)
            for layer in layers
        ]
        variants = {offer.layer.name: offer.by_word() for offer in self.offers}
        self.align = WidthMatcher(layers, variants, ports)
        self._converters: dict[tuple[int, int, int], Cost] = {}

    def count(self, chosen: Sequence[FoldCandidate]) -> bool:
        """Counts what is wired from its own graphs; whether any was not, so that it may be that
        others are the better choice."""
        pairs = zip(self.offers, chosen, strict=True)
        fresh = [offer for offer, option in pairs if offer.count(option.fold)]
        return bool(fresh)

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
            message = _excess(chosen, budget, self.device, worst, cycles)
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
        return self._one_by_one(chosen, budget, targets[high])

    def pick(self, cycles: int, budget: ResourceBudget) -> tuple[list[FoldCandidate], str | None]:
        """The cheapest candidates at rising prices; and the resource still exceeded, or None."""
        price = _idle_prices(budget)
        chosen: list[FoldCandidate] = []
        for _ in range(RISES):
            chosen = self._aligned([o.cheapest(price, cycles) for o in self.offers], cycles)
            used = total(chosen)
            worst = budget.exceeded(used)
            if worst is None:
                return chosen, None
            excess = getattr(used, worst) / max(getattr(budget, worst), 0.5)
            price[RESOURCES.index(worst)] *= min(4.0, max(1.5, excess))
        chosen = self._one_by_one(chosen, budget, cycles)
        return chosen, budget.exceeded(total(chosen))

    def _one_by_one(
        self, chosen: list[FoldCandidate], budget: ResourceBudget, cycles: int
    ) -> list[FoldCandidate]:
        """`chosen` with less excess over the budget or, where it fits, less area: layer by layer
        the best candidate for what the other layers leave."""
        price, has = _idle_prices(budget), _row(budget)
        for _ in range(SWEEPS):
            before = chosen
            for i, offer in enumerate(self.offers):
                used = _row(total(chosen))
                room = has - used + _row(chosen[i].cost)
                better = offer.best(price, cycles, room)
                if better.fold == chosen[i].fold:
                    continue
                tried = self._aligned([*chosen[:i], better, *chosen[i + 1 :]], cycles)
                if _badness(_row(total(tried)), price, has) < _badness(used, price, has):
                    chosen = tried
            if chosen is before:
                break
        return chosen

    def _aligned(self, chosen: Sequence[FoldCandidate], cycles: int) -> list[FoldCandidate]:
        """The candidates with output words matched to the neighbours; costs include converters."""
        before = {la.name: o.fold for la, o in zip(self.layers, chosen, strict=True)}
        after = self.align(before, cycles)
        between = converters_before(self.layers, after)
        options = []
        for offer in self.offers:
            own = offer.option(after[offer.layer.name])
            glue = sum(map(self._converter, between[offer.layer.name]), Cost())
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


def _idle_prices(budget: ResourceBudget) -> np.ndarray:
    """Of one of each resource, while there is enough of all."""
    return np.array([SCARCITY[r] / max(getattr(budget, r), 0.5) for r in RESOURCES])


def _row(amounts: Cost | ResourceBudget) -> np.ndarray:
    """In the order of RESOURCES."""
    return np.array([getattr(amounts, r) for r in RESOURCES])


def _badness(used: np.ndarray, price: np.ndarray, has: np.ndarray) -> tuple[float, float]:
    """Excess over what there is, then area at idle prices: the less, the better."""
    return float(excess(used, has)), float(used @ price)


def _excess(
    chosen: Sequence[FoldCandidate], budget: ResourceBudget, device: Device, worst: str,
    cycles: int | None,
) -> str:  # fmt: skip
    how = f"at {cycles} cycles an image" if cycles is not None else "fully folded"
    used, has = getattr(total(chosen), worst), getattr(budget, worst)
    helps = {
        "bram": "fewer weights or fewer weight bits",
        "dsp": "shift or add layers in place of mult",
        "lut": f"fewer channels{'' if cycles is None else ', a lower --fps'}, fewer bits",
        "ff": "fewer channels or bits",
    }
    return (
        f"does not fit {device.name}: {how} it needs {used:.0f} {RESOURCE_NAMES[worst]}, "
        f"{used - has:.0f} more than the {has:.0f} that may be used; "
        f"what helps: {helps[worst]}, or a larger device"
    )
