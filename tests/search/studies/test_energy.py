"""The fit of predicted energy: exact on what it can explain, and as good as is said on the rest."""

from __future__ import annotations

import random

import pytest

from gen.cost.energy import FEATURES
from search.studies.energy import figures, fit, held_out, load, predicted, total

REAL = dict(zip(FEATURES, (0.03, 1.2, 2.0, 1.7, 2.5, 15.0), strict=True))


def rows(count: int) -> list[dict]:  # type: ignore[type-arg]
    rng = random.Random(5)
    made = []
    for seed in range(count):
        counts = {n: rng.randrange(1000, 9000) / REAL[n] for n in FEATURES}  # each takes as much
        work = sum(REAL[name] * n for name, n in counts.items()) / 1e3
        made.append({
            "seed": seed, "features": counts, "static_nj": 1.0, "clock_nj": 2.0,
            "activity_nj": work, "energy_45nm_nj": 1.0 + seed,
        })  # fmt: skip
    return made


def test_the_fit_finds_the_prices() -> None:
    given = rows(40)
    assert fit(given)["add"] == pytest.approx(REAL["add"], rel=0.3)
    assert all(a == pytest.approx(b, rel=0.05) for a, b in held_out(given))
    assert figures(given)["kendall"] > 0.9
    assert predicted(given[0], REAL) == pytest.approx(total(given[0]))


def test_the_table_ranks_as_it_does() -> None:
    given = rows(10)
    order = sorted(given, key=total)
    for rank, row in enumerate(order):
        row["energy_45nm_nj"] = 10.0 - rank  # the other way round
    said = figures(given)
    assert (said["kendall_45nm"], said["moved"], said["half"]) == (-1.0, 5, 5)


@pytest.mark.parametrize("family", sorted(load()))
def test_what_is_kept_is_what_the_fit_gives(family: str) -> None:
    kept = load()[family]
    assert fit(kept["samples"]) == pytest.approx(kept["prices"])
    if kept["figures"]:
        assert figures(kept["samples"]) == kept["figures"]
    for a, b in held_out(kept["samples"]) if kept["figures"] else ():
        assert abs(a - b) <= (kept["figures"]["largest"] + 0.05) / 100 * b
