"""Predicted beside measured, over the finalists of a round: errors, and whether they are small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search.results.hypervolume import Box, row

ERRORS = ("lut", "ff", "fmax_mhz", "latency_us")
AGREED = {"lut_error": 5.0, "fmax_error": 10.0, "latency_error": 10.0}
"""Mean errors in % within which another round, with a refitted cost model, is not worth it."""


def compare(number: int, finalists: Sequence[Mapping[str, Any]], box: Box) -> dict[str, Any]:
    """A row of rounds.json. Errors: mean of |predicted − measured| / measured, in %.

    hypervolume_predicted: of the finalists as the search saw them, with expected accuracies;
    hypervolume_measured: fine-tuned and built.
    """
    built = [f for f in finalists if f["measured"]]
    summary: dict[str, Any] = {"round": number, "finalists": len(finalists), "measured": len(built)}
    for name in ERRORS:
        summary[f"{name.split('_')[0]}_error"] = _error(built, name)
    seen = [row(f["accuracy"]["expected"] or 0.0, f["searched"]) for f in built]
    real = [row(f["accuracy"]["validation"], f["measured"]) for f in built if not f["error"]]
    summary["hypervolume_predicted"] = round(box.volume(seen), 6)
    summary["hypervolume_measured"] = round(box.volume(real), 6)
    return summary


def _error(built: Sequence[Mapping[str, Any]], name: str) -> float | None:
    pairs = [(f["predicted"][name], f["measured"][name]) for f in built]
    parts = [abs(guess - real) / real for guess, real in pairs if real]
    return round(100 * sum(parts) / len(parts), 2) if parts else None


def agrees(row: Mapping[str, Any]) -> bool:
    """Whether all errors of a round are within AGREED, and everything could be built."""
    if row["measured"] < row["finalists"]:
        return False
    return all(row[name] is not None and row[name] <= most for name, most in AGREED.items())
