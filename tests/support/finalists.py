"""Finalists of a search with made-up figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from search.results.results import Costs, Finalist


def finalist(accuracy: float, lut: float, latency: float, **changed: Any) -> Finalist:
    """A finalist, measured: top-1 on the validation set, LUTs and µs; `changed` fields beside."""
    costs = Costs(lut=lut, latency_us=latency, energy_nj=1.0)
    values: dict[str, Any] = {
        "key": f"{accuracy}-{lut}-{latency}", "share": 1.0, "round": 1, "kinds": ("add",),
        "inherited": 0.5, "validation": accuracy, "test": None, "searched": Costs(),
        "predicted": Costs(), "measured": costs, "images": 20, "mismatches": 0, "error": "",
        "folder": Path(),
    }  # fmt: skip
    return Finalist(**values | changed)
