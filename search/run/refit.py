"""The cost model of a board's family, fitted to what a search has measured as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gen.cost.cost import CostModel
from gen.plan.plan import load
from gen.planner.estimate import measured_sample
from gen.support.devices import Device
from model import store
from model.checkpoint import NETWORK


def refit(target: Device, run: Path, rows: Sequence[Mapping[str, Any]]) -> CostModel:
    """The committed cost model, with those finalists of `run` that were placed and routed.

    rows: their finalist.json, in a fixed order, so that the same run gives the same prices.
    """
    samples = []
    for row in rows:
        if row["measured"]:
            folder = run / "finalists" / row["key"]
            network, plan = store.load(folder / NETWORK), load(folder / "plan.json")
            samples.append(measured_sample(network, plan, target, row["measured"]))
    return CostModel.of(target).refit(samples)
