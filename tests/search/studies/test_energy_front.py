"""Fronts under both energies: by hand, and as kept."""

from __future__ import annotations

from search.studies.energy_front import COSTS, compared, front, load


def row(seed: int, weights: int, lut: int, fpga: float, table: float) -> dict[str, float]:
    costs = {"lut": lut, "latency_us": 10.0, "energy_nj": fpga, "table_nj": table}
    return {"seed": seed, "weights": weights} | costs


ROWS = [
    row(0, 100, 1000, 50.0, 1.0),
    row(1, 100, 1000, 40.0, 2.0),  # better than 0 by the FPGA's energy, worse by the table's
    row(2, 100, 900, 60.0, 3.0),  # fewest LUTs
    row(3, 90, 1000, 60.0, 3.0),  # worse than 0 and 1 in all
]


def test_a_front_is_what_none_is_better_than() -> None:
    assert front(ROWS, COSTS["fpga"]) == {1, 2}
    assert front(ROWS, COSTS["45nm"]) == {0, 2}
    assert front([ROWS[0], ROWS[0] | {"seed": 9}], COSTS["fpga"]) == {0, 9}


def test_who_leaves_and_who_enters() -> None:
    made = compared(ROWS)
    four, alone = made["four"], made["energy_alone"]
    assert (four["of_table"], four["of_fpga"]) == (2, 2)
    assert (four["leave"], four["enter"]) == ([ROWS[0]], [ROWS[1]])
    assert (alone["of_table"], alone["leave"], alone["enter"]) == (1, [ROWS[0]], [ROWS[1]])


def test_what_is_kept_leaves_and_enters_for_a_reason() -> None:
    kept = load()
    for part in (kept["four"], kept["energy_alone"]):
        grown = len(part["enter"]) - len(part["leave"])
        assert part["of_fpga"] - part["of_table"] == grown
        assert not {r["seed"] for r in part["enter"]} & {r["seed"] for r in part["leave"]}
    alone = kept["energy_alone"]
    for name, part in (("energy_nj", alone["enter"]), ("table_nj", alone["leave"])):
        ordered = sorted(part, key=lambda r: r["weights"])
        energies = [r[name] for r in ordered]
        assert energies == sorted(energies), "within a front, more weights take more energy"
