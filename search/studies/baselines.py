"""Hybrid search beside its baselines: one kind alone, and chance, at the same budget.

    python -m search.studies.baselines --data digits --board up5k --seeds 3

Each of STYLES is a search of its own for each seed, with the same supernet of the whole space, the
same number of evaluations, the same training and the same measurement; a study that was cut short
goes on. baselines.json has everything that the table shows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from math import isfinite
from pathlib import Path
from statistics import geometric_mean, mean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from model import data as datasets
from model.errors import ShiftaddError
from model.files import write
from model.kinds import ordered_kinds
from model.terminal import console
from search.evolve.objectives import Limits
from search.results.compare import gain, volumes
from search.results.results import Finalist
from search.results.results_files import load
from search.run.request import SearchBudget
from search.run.search import search

STYLES: dict[str, dict[str, Any]] = {
    "hybrid": {},
    **{kind: {"kinds": (kind,)} for kind in ordered_kinds()},
    "random": {"sampler": "random"},
}
"""What distinguishes each search; `random` draws hybrid networks."""
FORMAT, VERSION = "shiftadd-baselines", 1
BUDGET = tuple(field.name for field in fields(SearchBudget))


def compare(
    fronts: Mapping[str, Sequence[Sequence[Finalist]]], classes: int
) -> list[dict[str, Any]]:
    """For each style and seed: hypervolume, best accuracies, and what hybrid gains over it.

    fronts: measured ones by style, one for each seed. All volumes by validation are parts of one
    box, and all by test of another.
    """
    every = [front for several in fronts.values() for front in several]
    size, tested = (iter(volumes(every, classes, split)) for split in ("validation", "test"))
    return [
        {
            "style": style, "hypervolume": [next(size) for _ in several],
            "hypervolume_test": [next(tested) for _ in several],
            "points": [len(front) for front in several],
            "best_validation": [_most(p.validation for p in front) for front in several],
            "best_test": [_most(p.test for p in front) for front in several],
            "hybrid_gains": list(map(gained, fronts["hybrid"], several)),
        }
        for style, several in fronts.items()
    ]  # fmt: skip


def _most(accuracies: Iterable[float | None]) -> float:
    return max((a for a in accuracies if a is not None), default=0.0)


def gained(ours: Sequence[Finalist], theirs: Sequence[Finalist]) -> dict[str, Any] | None:
    """Parts of LUTs, energy and latency saved at the best accuracy that both reach, and accuracy
    ahead with no more LUTs than the others' best takes (None without a network so small)."""
    gains = gain(ours, theirs, ("hybrid", "baseline"), "mixed")
    if gains is None:
        return None
    return {
        "at_accuracy": gains.accuracy, "saved": {c: gains.saved(c) for c in gains.costs},
        "at_luts": gains.luts, "accuracy_ahead": gains.ahead if isfinite(gains.ahead) else None,
    }  # fmt: skip


def baselines(
    *, data: str, board: str, seeds: int, out: Path, supernet: Path | None = None,
    quiet: bool = False, **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """Runs what is not there yet, and compares; `options` go to every search alike.

    Runs land in out/STYLE-SEED, the comparison in out/baselines.json.
    """
    fronts: dict[str, list[list[Finalist]]] = {style: [] for style in STYLES}
    classes = len(datasets.load(data).classes)
    evaluations = {}
    for seed in range(seeds):
        for style in STYLES:
            folder = out / f"{style}-{seed}"
            result = search(
                data=data, board=board, out=folder, seed=seed, supernet=supernet, resume=True,
                quiet=quiet, **STYLES[style], **options,
            )  # fmt: skip
            evaluations[folder.name] = result.evaluations
            fronts[style].append(load(folder).front)
    made = {
        "format": FORMAT, "version": VERSION, "data": data, "board": board, "seeds": seeds,
        "evaluations": evaluations, "styles": compare(fronts, classes),
    }  # fmt: skip
    write(out / "baselines.json", json.dumps(made, indent=1) + "\n")
    return made


def table(made: Mapping[str, Any]) -> Table:
    """Means over the seeds: hypervolume by validation, with its range, and by test; best test
    accuracy; what hybrid gains. 80 columns wide."""
    shown = Table(
        title=f"{made['data']} on {made['board']}, {made['seeds']} seeds", box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1), pad_edge=False,
        caption="What hybrid saves at the best accuracy that both reach, and its accuracy ahead at "
        "equal LUTs",
    )  # fmt: skip
    names = ("search", "volume", "range", "by test", "best", "LUTs", "energy", "latency", "ahead")
    for column in names:
        shown.add_column(column, justify="left" if column == "search" else "right", no_wrap=True)
    for line in made["styles"]:
        sizes, gains = line["hypervolume"], [g for g in line["hybrid_gains"] if g]
        saved = [
            _percent(_saved([g["saved"][c] for g in gains]), 0)
            for c in ("lut", "energy_nj", "latency_us")
        ]
        ahead = [g["accuracy_ahead"] for g in gains if g["accuracy_ahead"] is not None]
        shown.add_row(
            line["style"], f"{mean(sizes):.3f}", f"{min(sizes):.3f}–{max(sizes):.3f}",
            f"{mean(line['hypervolume_test']):.3f}", _percent(line["best_test"]), *saved,
            _percent(ahead),
        )  # fmt: skip
    return shown


def _saved(parts: Sequence[float]) -> list[float]:
    """Their mean, of ratios of costs: ten times as much and a tenth make up for each other."""
    return [1 - geometric_mean(1 - part for part in parts)] if parts else []


def _percent(parts: Sequence[float], digits: int = 1) -> str:
    return f"{100 * mean(parts):.{digits}f} %" if parts else ""


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m search.studies.baselines", description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--board", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="default runs/baselines-DATA-BOARD")
    parser.add_argument("--supernet", type=Path, help="one for all seeds, instead of one each")
    parser.add_argument("--max-luts", type=int, metavar="N", help="of each network")
    for name in BUDGET:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")
    parser.add_argument("--workers", type=int, default=2)
    options = vars(parser.parse_args(argv))
    budget = {name: options.pop(name) for name in BUDGET}
    out = options.pop("out") or Path("runs") / f"baselines-{options['data']}-{options['board']}"
    try:
        limits = Limits(max_luts=options.pop("max_luts"))
        made = baselines(out=out, budget=budget, limits=limits, **options)
    except ShiftaddError as error:
        print(f"baselines: {error}", file=sys.stderr)
        return 2
    console().print(table(made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
