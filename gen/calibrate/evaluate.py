"""How well the cost model predicts whole networks: `python -m gen.calibrate.evaluate`.

Each measured network (gen/calibrate/network_measurements.json) is predicted by prices that were
fitted without it, by cross-validation in GROUPS: to all measured layers of its family and to the
networks of the other groups. Prints mean absolute error in percent and Kendall's τ of each figure,
what a tenth of the networks miss (`gen.limits.SURE`), and how many counts are exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gen.calibrate.characterise import NETWORKS, layers_of, networks_of
from gen.cost.cost import FIGURES, PRICES
from gen.cost.fit import CostSample, expected, fit, total

GROUPS = 8
Row = dict[str, Any]


def held_out(
    layers: Sequence[CostSample], networks: Sequence[CostSample], figure: str, family: str
) -> list[tuple[float, float]]:
    """Predicted and measured figure of each network, by prices fitted without it."""
    pairs = []
    start = expected(figure, family)
    for k in range(GROUPS):
        rest = [row for i, row in enumerate(networks) if i % GROUPS != k]
        prices = fit([*layers, *rest], figure, start, family)
        left_out = networks[k::GROUPS]
        pairs += [(total(row.features, prices), row.measured[figure]) for row in left_out]
    return pairs


def kendall(pairs: Sequence[tuple[float, float]]) -> float:
    """Kendall's τ of predicted and measured figures."""
    from scipy.stats import kendalltau  # slow to import

    return float(kendalltau(*zip(*pairs, strict=True)).statistic)


def figure_errors(table: Mapping[str, Any], family: str) -> dict[str, Row]:
    """For each figure of `table["samples"]`: networks, error in percent (mean, largest), τ, and
    the tenth smallest in a hundred of predicted over measured: nine of ten networks keep to it."""
    rows: dict[str, Row] = {}
    for figure in FIGURES:
        networks = [row for row in networks_of(family) if figure in row.measured]
        if len(networks) < 2:
            continue
        pairs = held_out(layers_of(table, figure), networks, figure, family)
        percents = [100 * abs(predicted - real) / real for predicted, real in pairs]
        rows[figure] = {
            "networks": len(pairs),
            "error": sum(percents) / len(percents),
            "largest": max(percents),
            "kendall": kendall(pairs),
            "sure": sorted(predicted / real for predicted, real in pairs)[(len(pairs) - 1) // 10],
        }
    return rows


def counts(family: str) -> dict[str, Row]:
    """Networks, and how many have exactly the multipliers and blocks of RAM that were counted."""
    rows = json.loads(NETWORKS.read_text()).get(family, [])
    return {
        name: {
            "networks": len(rows),
            "exact": sum(r["counted"][name] == r["raw"][name] for r in rows),
        }
        for name in ("dsp", "bram")
    }


def main() -> None:
    for family, table in json.loads(PRICES.read_text())["families"].items():
        for figure, row in figure_errors(table, family).items():
            print(
                f"{family:6}{figure:6}{row['networks']:4} networks: error {row['error']:.1f} % "
                f"(at most {row['largest']:.1f}), Kendall's τ {row['kendall']:.2f}, nine of ten "
                f"keep to {row['sure']:.3f} of the prediction"
            )
        for name, row in counts(family).items():
            print(f"{family:6}{name:6}{row['exact']:4} of {row['networks']} networks exact")


if __name__ == "__main__":
    main()
