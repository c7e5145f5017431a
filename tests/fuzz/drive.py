"""Many inputs, some at a time, in workers that may die; results are kept and gone on from."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.worker import FAULTS, chosen, keep

ROOT = Path(__file__).parents[2]
OUTCOMES = ("understood", "refused", *FAULTS)
SILENT = 120.0
"""Seconds after which a worker that says nothing is ended."""
Result = dict[str, Any]


def drive(
    count: int, seed: int, out: Path, say: Callable[[str], None] = lambda text: None
) -> list[Result]:
    """Results of inputs 0 to `count`, in order; those in results.jsonl of `out` are not tried
    again. Inputs that are faults are kept under failing/."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"results-{seed}.jsonl"
    results = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    with path.open("a") as file:
        while len(results) < count:
            for result in _batch(seed, out, len(results), count):
                results.append(result)
                file.write(json.dumps(result) + "\n")
                file.flush()
                if result["outcome"] in FAULTS:
                    say(f"{result['index']} {result['kind']}: {result['outcome']}")
                elif len(results) % 500 == 0:
                    say(f"{len(results)} of {count}")
    return results[:count]


def _batch(seed: int, out: Path, first: int, end: int) -> Iterator[Result]:
    """Results from one worker, until it dies or is done."""
    words = [str(out), str(seed), str(first), str(end)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (out / "worker.log").open("w") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", *words], stdout=subprocess.PIPE,
            stderr=log, cwd=ROOT, env=environment, text=True,
        )  # fmt: skip
    assert worker.stdout is not None
    index, ready = first, False
    try:
        while True:
            answers = select.select([worker.stdout], [], [], SILENT)[0]
            line = worker.stdout.readline() if answers else ""
            if line.startswith("ready"):
                ready = True
            elif line.startswith("{"):
                yield json.loads(line)
                index += 1
            elif not line:
                break
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()
    if not ready:
        raise RuntimeError((out / "worker.log").read_text()[-3000:])
    if index < end:
        result = {
            "index": index, "kind": chosen(index, seed)[0].name, "changed": "", "outcome": "died",
            "said": (out / "worker.log").read_text()[-3000:], "seconds": 0.0,
        }  # fmt: skip
        keep(out, result, seed)
        yield result


def summary(results: list[Result], seed: int) -> dict[str, Any]:
    """Counts of outcomes by kind, and the longest that one took, for JSON."""
    kinds: dict[str, Any] = {}
    for kind in sorted({result["kind"] for result in results}):
        mine = [result for result in results if result["kind"] == kind]
        counts = Counter(result["outcome"] for result in mine)
        kinds[kind] = {
            "inputs": len(mine), **{name: counts[name] for name in OUTCOMES},
            "longest_seconds": max(result["seconds"] for result in mine),
        }  # fmt: skip
    return {"inputs": len(results), "seed": seed, "kinds": kinds}


def drawn(made: dict[str, Any]) -> str:
    """A summary as a table of text."""
    columns = ("inputs", *OUTCOMES, "longest_seconds")
    rows: list[tuple[str, ...]] = [("kind", *columns)]
    rows += [(kind, *(str(row[name]) for name in columns)) for kind, row in made["kinds"].items()]
    totals = [sum(row[name] for row in made["kinds"].values()) for name in columns[:-1]]
    rows.append(("all", *map(str, totals), ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
