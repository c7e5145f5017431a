"""Predicted cost of a layer on a family of devices: counted features with measured prices.

The prices are fitted to measured layers and networks (`gen/cost/layer_measurements.json`,
`gen/calibrate/network_measurements.json`, made by gen.calibrate.characterise), and can be read: so
many LUTs for a bit of an adder, for a bit of a multiplexer stage, for a memory. Blocks of RAM and
hardware multipliers are counted, not fitted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gen.cost.features import Features, converters, describe, features, whole
from gen.cost.fifo_features import buffers
from gen.cost.fit import DECIMALS, CostSample, fit
from gen.cost.fmax import clock_features, fmax
from gen.cost.lanes import lane_cost
from gen.cost.wired_features import Graphs
from gen.plan.fold_array import FoldArray
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Cost, Fold, PlannedLayer
from gen.support.devices import Device
from model.kinds import KindError
from model.spec import Conv, Dense

PRICES = Path(__file__).with_name("layer_measurements.json")
FIGURES = ("lut", "ff", "clock")
Prices = tuple[tuple[str, float], ...]
"""Of one unit of each feature, by its name."""


@dataclass(frozen=True)
class CostModel:
    """Prices of one family. lut, ff: of a unit of each feature. clock: see gen.cost.fmax.

    Hashable, picklable, and equal to every other with the same prices.
    """

    family: str
    lut: Prices
    ff: Prices
    clock: Prices

    @staticmethod
    def of(device: Device) -> CostModel:
        """The model of the device's family that comes with shiftadd."""
        return _committed(device.family)

    @property
    def hash(self) -> str:
        """Content hash, the same on every machine."""
        text = json.dumps([self.family, self.lut, self.ff, self.clock])
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _table(self) -> dict[str, tuple[float, float]]:
        lut, ff = dict(self.lut), dict(self.ff)
        return {name: (lut.get(name, 0.0), ff.get(name, 0.0)) for name in lut.keys() | ff.keys()}

    def check_kind(self, kind: str, w_bits: int) -> None:
        """KindError unless all that is particular to `kind` has a price: none is taken for free."""
        lane = lane_cost(kind)
        missing = [n for n in (lane.feature(w_bits), lane.tree) if n not in self._table]
        if missing:
            raise KindError(
                f"kind {kind!r} has no price of {', '.join(missing)} on {self.family}; `shiftadd "
                "characterise` measures it, given calibrated_bits"
            )

    def price(self, features: Mapping[str, Any]) -> tuple[Any, Any]:
        """LUTs and flip-flops, of counts that are numbers or arrays.

        Rounded as prices are, so that equal folds cost the same in whatever order the features
        are added up.
        """
        lut = ff = 0.0
        for name, count in features.items():
            per = self._table.get(name)
            if per is not None:
                lut, ff = lut + per[0] * count, ff + per[1] * count
        return np.round(lut, DECIMALS), np.round(ff, DECIMALS)

    def refit(self, measured: Sequence[CostSample]) -> CostModel:
        """A model whose prices are fitted to measured networks, starting from these prices.

        The price of a feature that none of them has stays as it is.
        """
        if not measured:
            return self
        prices: dict[str, Any] = {
            figure: tuple(fit(measured, figure, dict(getattr(self, figure)), self.family).items())
            for figure in FIGURES
        }
        return replace(self, **prices)

    def fmax_mhz(self, stages: Sequence[PlannedLayer], lut: float, device: Device) -> float:
        """Clock of a network of `lut` LUTs on a device."""
        return fmax(clock_features(stages, lut, device), dict(self.clock), device)


@cache
def _committed(family: str) -> CostModel:
    fitted: dict[str, Any] = json.loads(PRICES.read_text())["families"][family]["prices"]
    rows = {figure: tuple(sorted(prices.items())) for figure, prices in fitted.items()}
    return CostModel(family, rows["lut"], rows["ff"], rows["clock"])


def costs(
    layer: LoweredLayer, foldings: FoldArray, device: Device, model: CostModel | None = None,
    graphs: Graphs = "own",
) -> np.ndarray:  # fmt: skip
    """(foldings, 4): LUTs, flip-flops, multipliers, blocks of RAM of each folding of a layer.

    graphs: what wired layers are counted from, see gen.cost.wired_features. Without the converters
    before the layer, which also depend on the layers that it reads.
    """
    model = model or CostModel.of(device)
    if isinstance(layer.op, Conv | Dense):
        model.check_kind(layer.kind, layer.op.bits)
    counts = features(layer, foldings, device, graphs)
    table = np.zeros((len(foldings), 4))
    table[:, 0], table[:, 1] = model.price(counts)
    table[:, 2], table[:, 3] = counts.get("dsp", 0), counts.get("bram", 0)
    return table


def cost_of(row: np.ndarray) -> Cost:
    """A row of `costs` as a Cost."""
    lut, ff, dsp, bram = row.tolist()
    return Cost(lut, ff, int(dsp), int(bram))


def predict(
    layer: LoweredLayer, fold: Fold, device: Device, model: CostModel | None = None,
    graphs: Graphs = "own",
) -> Cost:  # fmt: skip
    """Cost of a layer, with the converters before it left out. graphs: as for `costs`."""
    return cost_of(costs(layer, FoldArray.of([fold]), device, model, graphs)[0])


def converters_before(
    layers: Sequence[LoweredLayer], folds: Mapping[str, Fold]
) -> dict[str, list[tuple[int, int, int]]]:
    """The converters before each layer, by its name, one for each layer that it reads.

    Each as arguments of gen.cost.features.converters: bits, lanes of the source, lanes wanted.
    """
    lanes = {la.name: folds[la.name].out_lanes for la in layers}
    before = {}
    for layer in layers:
        want = folds[layer.name].lanes
        before[layer.name] = [
            (tensor.bits, lanes[name], want)
            for name, tensor in zip(layer.inputs, layer.sources, strict=True)
        ]
    return before


def buffer_costs(
    layers: Sequence[LoweredLayer],
    folds: Mapping[str, Fold],
    fifos: Mapping[str, tuple[int, int]],
    device: Device,
    model: CostModel | None = None,
) -> dict[str, Cost]:
    """Cost of residual FIFOs and forks by layer: see gen.cost.fifo_features.buffers."""
    model = model or CostModel.of(device)
    costs = {}
    for name, counts in buffers(layers, folds, fifos, device).items():
        lut, ff = model.price(counts)
        costs[name] = Cost(float(lut), float(ff), bram=int(counts.get("bram", 0)))
    return costs


def network_features(
    layers: Sequence[LoweredLayer],
    folds: Mapping[str, Fold],
    device: Device,
    fifos: Mapping[str, tuple[int, int]] | None = None,
) -> tuple[Features, Cost]:
    """Features of a whole network with its converters; and its counted multipliers and blocks.

    fifos: depths before each join, as in a plan; without them, FIFOs and forks are left out.
    """
    total, exact = Features(), Cost()
    for counts in buffers(layers, folds, fifos, device).values() if fifos else ():
        own = whole(counts)
        exact += Cost(bram=own.pop("bram", 0))
        total.update(own)
    for layer in layers:
        own, counted = describe(layer, folds[layer.name], device)
        total.update(own)
        exact += counted
    for between in converters_before(layers, folds).values():
        for words in between:
            total.update(converters(*words))
    return total, exact
