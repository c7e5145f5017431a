"""Measure what small layers cost on each family, and fit the prices of `gen.cost` to them.

`python -m gen.characterise FAMILY COUNT` adds measured layers to `gen/prices.json` and fits all
prices anew. A layer is synthesised as it is built into an accelerator and packed by nextpnr; its
counts are those that a placed design has.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from gen import tools
from gen.build import tool_versions
from gen.cache import Cache
from gen.cost import describe
from gen.devices import Device, device
from gen.files import write
from gen.fold import folds
from gen.lower import Layer, lower
from gen.place import RESOURCES
from gen.plan import Fold
from gen.synth import Netlist, synthesise
from gen.units import block_pool, engine
from gen.verilog import verilog
from model.kind_shift import exponents
from model.spec import (
    AvgPool,
    Conv,
    Dense,
    Format,
    Head,
    Input,
    MaxPool,
    Network,
    Node,
    Padding,
    Requantise,
    infer,
)
from rtl.layer import LayerEngine

PRICES = Path(__file__).with_name("prices.json")
REPRESENTATIVE = {"ecp5": "lfe5u-45f", "ice40": "ice40-hx8k", "gowin": "gw1nr-9"}
BIASED = {"ice40": "ice40-up5k"}
"""The device of a family that has multipliers, where the representative one has none."""
_USED = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*\d+\s+\d+%", re.MULTILINE)


def random_layer(rng: random.Random) -> Layer:
    """A layer of a size that small networks have, with random weights."""
    draw = np.random.default_rng(rng.randrange(1 << 32))
    kind = rng.choice(["mult", "shift", "add"])
    size, c = rng.choice([4, 7, 8, 14, 28]), rng.choice([1, 3, 4, 8, 12, 16, 32])
    out, k = rng.choice([4, 8, 10, 12, 16, 32]), rng.choice([1, 3, 3, 5])
    bits = 4 if kind == "shift" else rng.choice([4, 6, 8])
    nodes: list[Node] = [Input("x", (size, size, c), Format(rng.choice([4, 5, 6, 8])))]
    op = rng.choice(["conv"] * 5 + ["depthwise", "dense", "dense", "maxpool", "avgpool"])
    if op == "dense":
        nodes[0] = Input("x", (1, 1, 8 * c), Format(rng.choice([4, 6, 8])))
    shape = {
        "conv": (out, k, k, c),
        "depthwise": (c, k, k, 1),
        "dense": (out, 8 * c),
    }.get(op, (1,))
    weights = draw.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)
    if kind == "shift":
        weights = draw.choice([-1, 1], shape) * (1 << draw.integers(0, exponents(bits), shape))
    padding: Padding = rng.choice(["same", "valid"]) if size >= k else "same"
    match op:
        case "conv":
            nodes.append(Conv("op", ("x",), kind, weights, bits, 1, padding))
        case "depthwise":
            nodes.append(Conv("op", ("x",), kind, weights, bits, 1, padding, True))
        case "dense":
            nodes.append(Dense("op", ("x",), kind, weights, bits))
        case "maxpool":
            nodes.append(MaxPool("op", ("x",)))
        case _:
            nodes.append(AvgPool("op", ("x",)))
    channels = shape[0] if op in ("conv", "depthwise", "dense") else c
    if op != "maxpool":
        m = draw.integers(64, 256, channels) * draw.choice([-1, 1], channels)
        b = draw.integers(-(1 << 14), 1 << 14, channels)
        form = Format(rng.choice([4, 6, 8]))
        nodes.append(Requantise("r", ("op",), m, b, rng.randint(8, 14), form))
    return _layer(nodes)


def _layer(nodes: list[Node]) -> Layer:
    last = nodes[-1].name
    size = int(np.prod(infer(Network(tuple(nodes)))[last].shape))
    nodes += [
        Dense("d", (last,), "mult", np.ones((2, size), dtype=np.int64), 2),
        Requantise("e", ("d",), np.array([1, 1]), np.array([0, 0]), 0, Format(16, True)),
        Head("h", ("e",)),
    ]
    return next(layer for layer in lower(Network(tuple(nodes))) if layer.name == last)


def random_fold(rng: random.Random, layer: Layer, target: Device) -> Fold:
    """A folding of moderate width: wide ones are rare in small devices."""
    offers = [f for f in folds(layer, target) if f.pe * f.lanes * f.parallel <= 64]
    return rng.choice(offers)


def hardware(layer: Layer, fold: Fold) -> Any:
    """The component of a layer, without converters."""
    return block_pool(layer, fold) if layer.blocks else LayerEngine(engine(layer, fold))


def measure(layer: Layer, fold: Fold, target: Device, cache: Cache) -> dict[str, int]:
    """LUTs and flip-flops, multipliers and blocks of RAM, as nextpnr packs the layer."""
    netlist = synthesise(verilog(hardware(layer, fold), "layer"), "layer", target, cache=cache)
    cells = netlist.cells
    if target.family == "ice40":
        ff = sum(n for c, n in cells.items() if c.startswith("SB_DFF"))
    else:
        ff = sum(n for c, n in cells.items() if c.startswith(("TRELLIS_FF", "DFF")))
    used = _packed(netlist, target) if target.family != "gowin" else dict(cells)
    found = {
        figure: sum(used.get(name, 0) * units for name, units in parts.items())
        for figure, parts in RESOURCES[target.family].items()
    }
    if target.family == "gowin":
        found["lut"] = sum(cells.get(f"LUT{n}", 0) for n in (1, 2, 3, 4)) + cells.get("ALU", 0)
        found["lut"] += 6 * cells.get("RAM16SDP4", 0)
        found["dsp"] = sum(n for c, n in cells.items() if c.startswith("MULT"))
        rams = ("SP", "SPX9", "DPB", "DPX9B", "SDPB", "SDPX9B", "pROM", "pROMX9")
        found["bram"] = sum(cells.get(c, 0) for c in rams)
    return found | {"ff": ff}


def _packed(netlist: Netlist, target: Device) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        free = "--out-of-context" if target.family == "ecp5" else "--pcf-allow-unconstrained"
        source = ("--json", netlist.path.name, "--pack-only", free)
        tools.run(
            f"nextpnr-{target.family}",
            (*target.part, *source, "--top", netlist.top),
            step="pack",
            folder=folder,
            log=folder / "log",
            timeout=600,
            inputs=(netlist.path,),
        )
        log = (folder / "log").read_text()
    return {name: int(used) for name, used in _USED.findall(log)}


def case(family: str, seed: int) -> tuple[Layer, Fold, Device]:
    """The layer of `seed`, its folding, and the device that it is measured on."""
    rng = random.Random(seed)
    target = device(
        rng.choice([REPRESENTATIVE[family], BIASED.get(family, REPRESENTATIVE[family])])
    )
    layer = random_layer(rng)
    return layer, random_fold(rng, layer, target), target


def sample(family: str, seed: int, cache: Cache) -> dict[str, Any]:
    """One measured layer: its features and counts, predicted and found."""
    layer, fold, target = case(family, seed)
    features, exact = describe(layer, fold, target)
    return {
        "seed": seed,
        "device": target.name,
        "features": features,
        "counted": {"dsp": exact.dsp, "bram": exact.bram},
        "measured": measure(layer, fold, target, cache),
    }


def fit(samples: list[dict[str, Any]], figure: str) -> dict[str, float]:
    """Prices, none negative, that give the least relative error over the samples."""
    names = sorted({name for s in samples for name in s["features"]})
    found = np.array([[s["features"].get(n, 0.0) for n in names] for s in samples])
    counts = np.array([float(s["measured"][figure]) for s in samples])
    weight = 1 / np.maximum(counts, 50)
    price, _ = nnls(found * weight[:, None], counts * weight)
    return {n: round(float(p), 4) for n, p in zip(names, price, strict=True) if p > 1e-4}


def errors(samples: list[dict[str, Any]], prices: dict[str, float], figure: str) -> float:
    """Mean absolute error in percent of the prices over the samples."""
    total = 0.0
    for s in samples:
        guess = sum(prices.get(n, 0) * v for n, v in s["features"].items())
        total += abs(guess - s["measured"][figure]) / max(s["measured"][figure], 50)
    return 100 * total / len(samples)


def main(family: str, count: int, cache: Cache | None = None) -> None:
    table = json.loads(PRICES.read_text()) if PRICES.exists() else {"families": {}}
    mine = table["families"].setdefault(family, {"samples": []})
    seeds = {s["seed"] for s in mine["samples"]}
    for seed in range(count):
        if seed in seeds:
            continue
        mine["samples"].append(sample(family, seed, cache or Cache()))
        print(family, seed, mine["samples"][-1]["measured"], file=sys.stderr, flush=True)
    mine["tools"] = list(tool_versions(device(REPRESENTATIVE[family])))
    mine["prices"] = {f: fit(mine["samples"], f) for f in ("lut", "ff")}
    mine["error_percent"] = {
        f: round(errors(mine["samples"], mine["prices"][f], f), 1) for f in ("lut", "ff")
    }
    print(family, mine["error_percent"], file=sys.stderr)
    write(PRICES, json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
