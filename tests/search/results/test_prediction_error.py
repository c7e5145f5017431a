"""How far predictions of finalists were off, and when a search may end for that."""

from __future__ import annotations

from search.results.hypervolume import Box
from search.results.prediction_error import agrees, compare


def test_what_cannot_be_built_keeps_a_search_from_agreeing() -> None:
    good = {"lut": 100.0, "ff": 1.0, "fmax_mhz": 40.0, "latency_us": 10.0, "energy_nj": 1.0}
    row = {
        "accuracy": {"expected": 0.5, "validation": 0.9}, "predicted": good, "searched": good,
        "measured": good, "error": "",
    }  # fmt: skip
    box = Box.around([[-0.5, 2.0, 5.0, 0.0], [-0.4, 3.0, 6.0, 1.0]], 10)
    comparison = compare(0, [row, row], box)
    assert comparison["lut_error"] == 0
    assert comparison["hypervolume_measured"] > comparison["hypervolume_predicted"] > 0
    assert agrees(comparison)
    assert not agrees(compare(0, [row, row | {"measured": {}, "error": "does not fit"}], box))
    assert not agrees(comparison | {"fmax_error": 11.0})
