"""The cost model of a board's family, fitted to what a search has measured as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gen.cost import CostModel, converted
from gen.devices import Device
from gen.features import Features, describe
from gen.fit import Sample
from gen.lower import lower
from gen.plan import Plan
from gen.plan import load as load_plan
from model import store
from model.checkpoint import NETWORK
from model.spec import Network


def refit(target: Device, run: Path, rows: Sequence[Mapping[str, Any]]) -> CostModel:
    """The committed cost model, fitted to finalists of `run` that were measured as well."""
    samples = []
    for row in rows:
        if row["measured"]:
            folder = run / "finalists" / row["key"]
            network, plan = store.load(folder / NETWORK), load_plan(folder / "plan.json")
            samples.append(Sample(_features(network, plan, target), row["measured"]))
    return CostModel.of(target).refit(samples)


def _features(network: Network, plan: Plan, target: Device) -> Features:
    """Of all layers, and of the converters between them."""
    layers = lower(network)
    folds = {stage.name: stage.fold for stage in plan.stages}
    found = sum(converted(layers, folds).values(), Features())
    for layer in layers:
        found.update(describe(layer, folds[layer.name], target)[0])
    return found
