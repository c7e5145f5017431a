"""A run directory like a real one, made from the real space in a moment; its figures are invented.

Costs follow the terms of each layer and the price of its kind, accuracies the logarithm of the
terms; both with noise from the seed. For tests of what reads a run, and for looking at the report.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model import arch as arches
from search.report.architecture_strip import strip
from search.results.results import COSTS
from search.space import space_files
from search.space.space import Candidate, Space

SHARES = (1.0, 0.5, 0.25, 0.125)
PRICE = {"mult": 9.0, "shift": 3.0, "add": 2.2}
PICOJOULE = {"mult": 0.2, "shift": 0.03, "add": 0.05}
SKILL = {"mult": 0.0, "shift": -0.006, "add": -0.014}
DEVICE = {"name": "ice40-up5k", "family": "ice40", "lut": 5280, "ff": 5280, "dsp": 8, "bram": 30}


def make_run(
    folder: Path,
    *,
    space: str = "8x8",
    kinds: Sequence[str] = ("mult", "shift", "add"),
    sampler: str = "evolution",
    seed: int = 0,
    count: int = 240,
    finalists: int = 9,
    state: str = "done",
) -> Path:
    """Writes a whole run of `count` scored points; returns `folder`."""
    rng = random.Random(f"{seed} {' '.join(kinds)} {sampler}")
    whole = space_files.load(space)
    part = whole.restrict(kinds)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_scored(part, rng, i, count) for i in range(count)]
    _write(folder / "run.json", _head(whole, kinds, sampler, seed, state))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "candidates.jsonl").write_text(text, encoding="utf-8")
    _write(folder / "supernet.json", _supernet(rng))
    _write(folder / "rounds.json", [_round(i, rng) for i in (1, 2, 3)])
    fitting = [row for row in rows if row["fits"]]
    for number, row in enumerate(_spread(fitting, finalists)):
        _finalist(folder / "finalists" / row["key"], part, row, rng, number)
    return folder


def _head(
    space: Space, kinds: Sequence[str], sampler: str, seed: int, state: str
) -> dict[str, Any]:
    budget = {
        "population": 24, "generations": 10, "finalists": 6, "rounds": 3, "epochs": 20,
        "supernet_epochs": 40,
    }  # fmt: skip
    limits = {"max_latency_us": None, "max_luts": None, "dsps": None, "fps": None}
    seconds = {"supernet": 71.2, "evolution": 48.9, "fine-tuning": 184.0, "place and route": 131.5}
    return {
        "format": "shiftadd-run", "version": 2, "state": state,
        "request": {
            "data": "digits", "board": "up5k", "space": space.name, "kinds": list(kinds),
            "sampler": sampler, "sharing": "heterogeneous", "seed": seed, "limits": limits,
            "budget": budget,
        },
        "space": {"name": space.name, "size": space.size},
        "device": DEVICE,
        "supernet": {
            "folder": "build/supernets/0f1e2d3c", "hash": "0f1e2d3c", "weights": 21310,
            "unshared_weights": 88412, "sharing": "heterogeneous",
        },
        "seconds": seconds | {"RTL simulation": 22.4},
    }  # fmt: skip


def _scored(space: Space, rng: random.Random, number: int, count: int) -> dict[str, Any]:
    candidate, share = space.sample(rng), rng.choice(SHARES)
    accuracy, predicted = _accuracy(space, candidate, rng), _cost(space, candidate, share, rng)
    fits = predicted["lut"] <= DEVICE["lut"]
    name = space.id(candidate)
    return {
        "key": f"{name}-{share:g}", "id": name, "share": share, "round": 1 + 3 * number // count,
        "generation": number // 24, "candidate": candidate.as_dict(),
        "kinds": list(candidate.kinds), "accuracy": accuracy, "fits": fits,
        "why": "" if fits else f"needs {predicted['lut']} LUTs", "predicted": predicted,
    }  # fmt: skip


def _accuracy(space: Space, candidate: Candidate, rng: random.Random) -> float:
    terms = sum(piece.macs for piece in strip(space.architecture(candidate)))
    skill = sum(SKILL[k] for k in candidate.kinds) / max(len(candidate.kinds), 1)
    error = 0.9 * terms**-0.27 - skill + abs(rng.gauss(0, 0.012))
    return float(round(360 * max(0.1, 1 - error)) / 360)


def _cost(space: Space, candidate: Candidate, share: float, rng: random.Random) -> dict[str, Any]:
    pieces = [p for p in strip(space.architecture(candidate)) if not p.pool]
    terms = sum(p.macs for p in pieces)
    lanes = [max(1, round(share * 60 * p.macs / terms)) for p in pieces]
    lut = 420 + sum(
        n * PRICE[p.kind] * p.bits + 2.5 * p.channels for n, p in zip(lanes, pieces, strict=True)
    )
    interval = max(math.ceil(p.macs / n) for n, p in zip(lanes, pieces, strict=True))
    mhz = 46.0 - 3 * share + rng.gauss(0, 1.0)
    energy = sum(p.macs * (PICOJOULE[p.kind] + 0.08) for p in pieces) / 1000 * (1 + 0.1 * share)
    latency = interval + 40 * len(pieces)
    dsp = min(8, sum(n for n, p in zip(lanes, pieces, strict=True) if p.kind == "mult"))
    rate = mhz * 1e6 / interval
    figures = (
        round(lut), round(0.72 * lut), dsp, min(30, 3 + 3 * len(pieces)), round(mhz, 1), latency,
        interval, latency / mhz, rate, 8 * energy, energy, 2 * energy * rate / 1e3,
    )  # fmt: skip
    return dict(zip(COSTS, figures, strict=True))


def _spread(rows: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Points that few beat in accuracy and latency, over the whole range of latencies."""
    ranked = sorted(rows, key=lambda r: r["predicted"]["latency_us"])
    size = math.ceil(len(ranked) / count)
    groups = [ranked[i : i + size] for i in range(0, len(ranked), size)]
    return [max(group, key=lambda r: (r["accuracy"], r["key"])) for group in groups]


def _finalist(
    folder: Path, space: Space, row: dict[str, Any], rng: random.Random, number: int
) -> None:
    candidate = Candidate.from_dict(row["candidate"])
    arches.save(space.architecture(candidate), folder / "arch.json")
    error = "place and route: 5,412 LUTs, the device has 5,280" if number == 4 else ""
    better = min(1.0, row["accuracy"] + 0.35 * (1 - row["accuracy"]))
    _write(
        folder / "finalist.json",
        {k: row[k] for k in ("key", "id", "share", "round", "candidate", "kinds", "predicted")}
        | {
            "accuracy": {
                "inherited": row["accuracy"], "validation": round(360 * better) / 360,
                "test": None if error else round(360 * better - rng.random() * 3) / 360,
            },
            "measured": None if error else _built(row["predicted"], rng),
            "rtl": None if error else {"images": 40, "mismatches": 0},
            "on_front": not error, "error": error,
        },
    )  # fmt: skip
    tools = ["yosys 0.70", "nextpnr-ice40 0.11.1", "icepack 0.11.1"]
    (folder / "network").mkdir(exist_ok=True)
    (folder / "plan.json").write_text("{}", encoding="utf-8")
    _write(folder / "report.json", {"format": "shiftadd-report", "version": 1, "tools": tools})


def _built(predicted: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Measured near predicted; cycles, multipliers and memories exactly as predicted."""
    off = {name: 1 + rng.gauss(0.02, 0.05) for name in ("lut", "ff", "fmax_mhz", "energy_nj")}
    made = predicted | {k: predicted[k] * by for k, by in off.items()}
    made |= {"lut": round(made["lut"]), "ff": round(made["ff"])}
    made["latency_us"] = made["cycles_latency"] / made["fmax_mhz"]
    made["inferences_per_s"] = made["fmax_mhz"] * 1e6 / made["cycles_interval"]
    return made


def _supernet(rng: random.Random) -> dict[str, Any]:
    curve = [
        {
            "epoch": i, "loss": 0.12 + 2.2 * math.exp(-i / 7) + rng.random() * 0.03,
            "largest": 0.985 - 0.8 * math.exp(-i / 4) - rng.random() * 0.004,
            "random": 0.955 - 0.83 * math.exp(-i / 7) - rng.random() * 0.012, "seconds": 1.7,
        }
        for i in range(1, 41)
    ]  # fmt: skip
    laws = {"shared": "gauss", "mult": "gauss", "shift": "gauss", "add": "laplace"}
    return {
        "format": "shiftadd-supernet", "version": 1, "sharing": "heterogeneous", "epochs": 40,
        "curve": curve, "histograms": {k: _histogram(law, rng) for k, law in laws.items()},
    }  # fmt: skip


def _histogram(law: str, rng: random.Random) -> dict[str, Any]:
    draw: Callable[[], float] = {
        "gauss": lambda: rng.gauss(0, 0.4),
        "laplace": lambda: rng.expovariate(1.0) * rng.choice((-1, 1)),
    }[law]
    values = [draw() for _ in range(4000)]
    high = max(map(abs, values))
    edges = [-high + 2 * high * i / 60 for i in range(61)]
    counts = [0] * 60
    for value in values:
        counts[min(59, int((value + high) / (2 * high) * 60))] += 1
    gaussian, laplacian = (0.012, 0.061) if law == "gauss" else (0.068, 0.011)
    return {"edges": edges, "counts": counts, "gaussian": gaussian, "laplacian": laplacian}


def _round(number: int, rng: random.Random) -> dict[str, Any]:
    by = 1.7 ** (1 - number) * (1 + 0.1 * rng.random())
    return {
        "round": number, "measured": 3 * number, "lut_error": 11.0 * by, "ff_error": 8.0 * by,
        "fmax_error": 9.0 * by, "hypervolume_predicted": 0.74 + 0.01 * number,
        "hypervolume_measured": 0.68 + 0.025 * number,
    }  # fmt: skip


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
