"""What changes in a front when energy is the FPGA's and not that of the table for 45 nm.

`python -m search.studies.energy_front` predicts COUNT random networks of the digits space that fit
the UP5K, each at a share of it, and keeps in energy_front.json two fronts of them: by what they can
learn, LUTs, latency and energy, as in a search, with either energy. None is trained here: the
number of weights stands in for accuracy, so the lists say how a choice moves, not what to build.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

from gen.calibrate.evaluate import kendall
from gen.planner.estimate import estimate
from gen.support.devices import Device, device
from gen.support.errors import DoesNotFitError
from model.files import write
from search.space import space_files
from search.space.space import Space
from search.studies.heldout import drawn, random_network

KEPT = Path(__file__).with_name("energy_front.json")
BOARD, SPACE, COUNT, PASSES = "up5k", "8x8", 200, 4
COSTS = {"fpga": ("lut", "latency_us", "energy_nj"), "45nm": ("lut", "latency_us", "table_nj")}
"""What each front minimises, beside the number of weights that it maximises."""
Row = dict[str, Any]


def candidate(space: Space, seed: int, target: Device) -> Row | None:
    """The network of a seed, predicted; None where it does not fit into its share, from all of the
    device down to a third."""
    chosen, share = drawn(space, seed)
    network = random_network(space, chosen, seed, passes=PASSES)
    try:
        made = estimate(network, target, share=share**0.5)
    except DoesNotFitError:
        return None
    return {
        "seed": seed, "layers": "".join(name[0] for name in chosen.kinds),
        "weights": network.weight_count, "lut": round(made.lut), "dsp": made.dsp,
        "latency_us": round(made.latency_us, 1), "energy_nj": round(made.energy_nj, 1),
        "table_nj": round(made.energy_45nm_nj, 2),
    }  # fmt: skip


def front(rows: Sequence[Row], costs: Sequence[str]) -> set[int]:
    """Seeds of the rows that none is better than in the weights and these costs."""

    def dominates(a: Row, b: Row) -> bool:
        pairs = [(-a["weights"], -b["weights"]), *((a[c], b[c]) for c in costs)]
        return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)

    return {row["seed"] for row in rows if not any(dominates(other, row) for other in rows)}


def compared(rows: Sequence[Row]) -> Row:
    """Both fronts, of all four figures and of weights and energy alone: who leaves and who enters
    where the FPGA's energy takes the place of the table's."""
    made: Row = {
        "networks": len(rows),
        "kendall": round(kendall([(row["table_nj"], row["energy_nj"]) for row in rows]), 2),
    }
    for name, start in (("four", 0), ("energy_alone", 2)):
        table, fpga = (front(rows, COSTS[which][start:]) for which in ("45nm", "fpga"))
        made[name] = {
            "of_table": len(table), "of_fpga": len(fpga),
            "leave": [row for row in rows if row["seed"] in table - fpga],
            "enter": [row for row in rows if row["seed"] in fpga - table],
        }  # fmt: skip
    return made


def load() -> Row:
    """What is kept."""
    kept: Row = json.loads(KEPT.read_text(encoding="utf-8"))
    return kept


def main() -> None:
    space, target = space_files.load(SPACE), device(BOARD)
    fitting = (row for seed in count() if (row := candidate(space, seed, target)))
    made = compared(list(islice(fitting, COUNT)))
    write(KEPT, json.dumps(made, indent=1) + "\n")
    for name in ("four", "energy_alone"):
        one = made[name]
        print(name, one["of_table"], one["of_fpga"], len(one["leave"]), len(one["enter"]))
    print(made["networks"], made["kendall"])


if __name__ == "__main__":
    main()
