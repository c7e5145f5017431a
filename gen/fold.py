"""Folding: how many PE and SIMD lanes each layer gets, what multiplies, and where memories live.

Each layer offers its foldings (cycles, cost). For a given number of cycles an image, each layer
takes the cheapest folding that is fast enough, at prices of the device's resources; where one
resource runs out its price rises and the layers choose again. The fastest number of cycles for
which that succeeds is found by bisection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from gen.align import align
from gen.cost import predict, ring_size
from gen.devices import Device
from gen.lower import Layer
from gen.plan import Cost, DoesNotFit, Fold, Multiplier
from gen.units import geometry
from model.spec import Add, Head, Input

WIDEST = 64
"""Largest PE, and largest SIMD: beyond it the fan-out costs more clock than it gains."""
ROOM = {"ice40-hx8k": 0.75, "ice40-lp8k": 0.75, "gw1nr-9": 0.6}
"""Share of the LUTs that is planned, 0.85 elsewhere. Beyond it place and route loses its speed, or
its way: a GW1NR-9 planned at 75 % came to 83 % of its flip-flops, not placed in 10 minutes."""
DEEP = 16
"""Words from which on a memory may take a block of RAM."""
SMALL = {"distributed": 1 << 13, "logic": 1 << 9}
"""Bits up to which a memory of activations may be made of LUTs."""
SCARCITY = {"lut": 1.0, "ff": 0.2, "dsp": 0.1, "bram": 0.3}
"""What all of a resource is worth at first: multipliers and blocks are there to be used."""
RESOURCES = tuple(SCARCITY)


@dataclass(frozen=True)
class Option:
    """One folding of a layer."""

    fold: Fold
    cycles: int
    cost: Cost


@dataclass(frozen=True)
class Budget:
    """What the layers may use together."""

    lut: float
    ff: float
    dsp: int
    bram: int

    @staticmethod
    def of(device: Device, dsps: int | None = None, luts: float | None = None) -> Budget:
        room = ROOM.get(device.name, 0.85)
        return Budget(
            lut=min(room * device.lut, luts or device.lut),
            ff=room * device.ff,
            dsp=device.dsp if dsps is None else min(dsps, device.dsp),
            bram=device.bram,
        )


def divisors(n: int, most: int) -> list[int]:
    """Of n, up to `most`, ascending."""
    return [d for d in range(1, min(n, most) + 1) if n % d == 0]


def options(layer: Layer, device: Device) -> list[Option]:
    """Every folding of a layer that is not beaten by another one in cycles and all resources."""
    found = [_option(layer, fold, device) for fold in folds(layer, device)]
    found.sort(key=lambda o: (o.cycles, o.cost.lut))
    kept: list[Option] = []
    for option in found:
        if not any(_no_worse(k.cost, option.cost) for k in kept):
            kept.append(option)
    return kept


def _no_worse(a: Cost, b: Cost) -> bool:
    return a.lut <= b.lut and a.ff <= b.ff and a.dsp <= b.dsp and a.bram <= b.bram


def _cycles(layer: Layer, fold: Fold) -> int:
    match layer.op:
        case Input(shape=(h, w, c)):
            return h * w * c
        case Head():
            return layer.out.shape[2] * -(-layer.out.bits // 8) + 1
        case Add():
            h, w, c = layer.out.shape
            return h * w * c // fold.lanes
    if layer.blocks:
        h, w, c = layer.sources[0].shape
        return h * w * c // fold.lanes
    return geometry(layer, fold).cycles


def folds(layer: Layer, device: Device) -> list[Fold]:
    """Every sensible folding of a layer on a device."""
    if isinstance(layer.op, Input | Head):
        return [Fold()]
    both: tuple[Multiplier, ...] = ("dsp", "lut")
    requants = both if layer.requantise and device.dsp else both[1:]
    if isinstance(layer.op, Add) or layer.blocks:
        widths = divisors(layer.out.shape[2], 8)
        shapes = [Fold(pe=n, lanes=n, drain=n) for n in widths]
    else:
        shapes = _shapes(layer)
    multipliers = both if layer.kind == "mult" and device.dsp else both[1:]
    return [
        replace(shape, multiplier=a, requant=b, weights=c, ring=d)
        for shape in shapes
        for a, b, c, d in product(
            multipliers, requants, _rom_styles(layer, shape), _ring_styles(layer, shape, device)
        )
    ]


def _ring_styles(layer: Layer, fold: Fold, device: Device) -> tuple[str, ...]:
    """Where the memory of activations may live: small ones in LUTs, deep ones in blocks of RAM."""
    depth, bits = ring_size(layer, fold)
    if depth == 1 or bits == 0:
        return ("logic",)
    small = "distributed" if device.distributed_ram else "logic"
    most = SMALL[small]
    copies = 1 if layer.blocks else fold.parallel
    found = (small,) if depth * bits * copies <= most else ()
    return (*found, "block") if depth >= DEEP or not found else found


def _rom_styles(layer: Layer, fold: Fold) -> tuple[str, ...]:
    weights = getattr(layer.op, "weights", None)
    if weights is None:
        return ("logic",)
    depth = weights.size // (fold.pe * fold.parallel * (1 if layer.depthwise else fold.lanes))
    found = ("logic",) if weights.size * getattr(layer.op, "bits", 0) <= 1 << 14 else ()
    return (*found, "block") if depth >= DEEP or not found else found


def _shapes(layer: Layer) -> list[Fold]:
    """PE, lanes, parallel taps, and the fewest drain lanes that keep up."""
    place = layer.window
    assert place is not None
    (kh, kw), (_, _, c) = place.kernel, place.source
    taps = sorted({1, kh, kh * kw}) if max(kh, kw) <= 5 else [1]
    found = []
    for lanes, parallel in product(divisors(c, WIDEST), taps):
        if lanes * parallel > WIDEST:
            continue
        pes = [lanes] if layer.depthwise else divisors(layer.sums.shape[2], WIDEST)
        for pe in pes:
            sums = geometry(layer, Fold(pe=pe, lanes=lanes, parallel=parallel)).slots_per_sum
            drain = next(d for d in divisors(pe, pe) if pe // d <= sums)
            found.append(Fold(pe=pe, lanes=lanes, parallel=parallel, drain=drain))
    return found


def choose(
    layers: Sequence[Layer],
    device: Device,
    *,
    budget: Budget | None = None,
    cycles: int | None = None,
) -> list[Option]:
    """The chosen folding of each layer: least cycles an image within the budget.

    cycles: least area at that many cycles an image instead. Raises DoesNotFit that names the scarce
    resource when nothing fits.
    """
    return _Search(layers, device, budget or Budget.of(device)).run(cycles)


class _Search:
    """The offers of all layers, and the choice among them."""

    def __init__(self, layers: Sequence[Layer], device: Device, budget: Budget) -> None:
        self.layers, self.device, self.budget = layers, device, budget
        self.offers = [options(layer, device) for layer in layers]

    def run(self, cycles: int | None) -> list[Option]:
        floor = max(min(o.cycles for o in offer) for offer in self.offers)
        if cycles is not None and cycles < floor:
            slow = max(zip(self.offers, self.layers, strict=True), key=_fastest)
            raise DoesNotFit(
                f"{cycles} cycles an image: layer {slow[1].name} needs at least {floor}; "
                "ask for fewer images a second"
            )
        every = {o.cycles for offer in self.offers for o in offer if o.cycles >= floor}
        targets = [cycles] if cycles is not None else sorted(every)
        chosen, worst = self.pick(targets[-1])
        if worst:
            how = f"at {cycles} cycles an image" if cycles is not None else "fully folded"
            raise DoesNotFit(_excess(chosen, self.budget, self.device, worst, how))
        low, high = 0, len(targets) - 1
        while low < high:
            middle = (low + high) // 2
            tried, worst = self.pick(targets[middle])
            if worst:
                low = middle + 1
            else:
                high, chosen = middle, tried
        return chosen

    def pick(self, cycles: int) -> tuple[list[Option], str | None]:
        """The cheapest options at rising prices; and what runs out all the same, or None."""
        price = {r: SCARCITY[r] / max(getattr(self.budget, r), 0.5) for r in RESOURCES}
        chosen: list[Option] = []
        worst: str | None = None
        for _ in range(24):
            chosen = self._aligned([_cheapest(o, price, cycles) for o in self.offers], cycles)
            worst = self._exceeded(total(chosen))
            if worst is None:
                break
            price[worst] *= 1.5
        return chosen, worst

    def _exceeded(self, used: Cost) -> str | None:
        """The resource that is exceeded most, if any is."""
        ratio = {
            r: getattr(used, r) / max(getattr(self.budget, r), 1e-9)
            for r in RESOURCES
            if getattr(used, r)
        }
        worst = max(ratio, key=lambda r: ratio[r])
        return worst if ratio[worst] > 1 else None

    def _aligned(self, chosen: Sequence[Option], cycles: int) -> list[Option]:
        before = {la.name: o.fold for la, o in zip(self.layers, chosen, strict=True)}
        after = align(self.layers, before, cycles)
        return [
            o if after[la.name] == o.fold else _option(la, after[la.name], self.device)
            for la, o in zip(self.layers, chosen, strict=True)
        ]


def _fastest(offer: tuple[list[Option], Layer]) -> int:
    return min(o.cycles for o in offer[0])


def _cheapest(offer: Sequence[Option], price: dict[str, float], cycles: int) -> Option:
    def cost(option: Option) -> float:
        return sum((price[r] * getattr(option.cost, r) for r in RESOURCES), 0.0)

    return min((o for o in offer if o.cycles <= cycles), key=cost)


def _option(layer: Layer, fold: Fold, device: Device) -> Option:
    return Option(fold, _cycles(layer, fold), predict(layer, fold, device))


def total(chosen: Sequence[Option]) -> Cost:
    return sum((o.cost for o in chosen), Cost())


def _excess(chosen: Sequence[Option], budget: Budget, device: Device, worst: str, how: str) -> str:
    used, has = getattr(total(chosen), worst), getattr(budget, worst)
    names = {"lut": "LUTs", "ff": "flip-flops", "dsp": "multipliers", "bram": "blocks of RAM"}
    helps = {
        "bram": "fewer weights or fewer weight bits",
        "dsp": "shift or add layers in place of mult",
        "lut": "fewer channels, fewer bits, or a lower --fps",
        "ff": "fewer channels or bits",
    }
    return (
        f"does not fit {device.name}: {how} it needs {used:.0f} {names[worst]}, "
        f"{used - has:.0f} more than the {has:.0f} that may be used; "
        f"what helps: {helps[worst]}, or a larger device"
    )
