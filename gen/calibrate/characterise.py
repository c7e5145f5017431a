# amaranth: UnusedElaboratable=no
"""Measure what layers cost on each family, and fit the prices of `gen.cost.cost` to them.

`python -m gen.calibrate.characterise FAMILY COUNT` measures layers until there are COUNT in
`gen/cost/layer_measurements.json`. Then it fits all prices, to these and to the whole networks in
`gen/calibrate/network_measurements.json` (search.studies.heldout). A layer is synthesised as it is
built into an accelerator and packed by nextpnr; its counts are those that a placed design has. On
Gowin nextpnr packs only what has pins, so layers are counted there by gen.calibrate.gowin_packing.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gen.calibrate.gowin_packing import flip_flops, luts
from gen.calibrate.random_layers import random_fold, random_layer
from gen.cost.cost import FIGURES, PRICES
from gen.cost.features import describe
from gen.cost.fit import CostSample, errors, expected, fit
from gen.engine.units import block_pool, engine
from gen.flow.build import tool_versions
from gen.flow.place import RESOURCES, constraints, figures, utilisation
from gen.flow.routing import PINS_FILE
from gen.flow.synth import Netlist, synthesise
from gen.plan.lower import LoweredLayer
from gen.plan.plan import Fold, fold_as_dict
from gen.support import tools
from gen.support.cache import Cache
from gen.support.devices import Device, device
from gen.support.verilog import verilog
from model import temporary
from model.files import write

NETWORKS = Path(__file__).with_name("network_measurements.json")
REPRESENTATIVE = {"ecp5": "lfe5u-45f", "ice40": "ice40-hx8k", "gowin": "gw1nr-9"}
BIASED = {"ice40": "ice40-up5k"}
"""The device of a family that has multipliers, where the representative one has none."""
TRUST = 8.0
"""Weight of a network in the fit, against a layer: networks are what is predicted, and a layer on
its own is mapped without its neighbours. Networks left out of the fit rank best with 7 or more."""


def case(family: str, seed: int) -> tuple[LoweredLayer, Device, random.Random]:
    """The random layer of `seed`, the device that it is measured on, and the generator after it."""
    rng = random.Random(seed)
    target = device(
        rng.choice([REPRESENTATIVE[family], BIASED.get(family, REPRESENTATIVE[family])])
    )
    return random_layer(rng), target, rng


def hardware(layer: LoweredLayer, fold: Fold) -> Any:
    """The component of a layer, without converters."""
    block = block_pool(layer, fold) if layer.blocks else engine(layer, fold)
    return block.component()


def packed(netlist: Netlist, target: Device) -> dict[str, int]:
    """Units of each figure of a device that a netlist takes, as nextpnr packs it."""
    return figures(netlist, target, _counted(netlist, target))


def _counted(netlist: Netlist, target: Device) -> dict[str, int]:
    """What nextpnr says that it packed; more ports than pins raise DoesNotFitError on Gowin."""
    free = {"ecp5": ["--out-of-context"], "ice40": ["--pcf-allow-unconstrained"]}
    pins = PINS_FILE["gowin"]
    with temporary.folder() as folder:
        if target.family == "gowin":
            (folder / pins).write_text(constraints(netlist.ports, target))
        source = ("--json", netlist.path.name, "--pack-only", "--top", netlist.top)
        tools.run(
            f"nextpnr-{target.family}",
            (*target.part, *source, *free.get(target.family, ("--vopt", f"cst={pins}"))),
            step="pack",
            folder=folder,
            log=folder / "log",
            timeout=600,
            inputs=(netlist.path,),
        )
        log = (folder / "log").read_text()
    return {name: used for name, used, _ in utilisation(log)}


def measure(layer: LoweredLayer, fold: Fold, target: Device, cache: Cache) -> dict[str, int]:
    """LUTs and flip-flops, multipliers and blocks of RAM of a layer on its own."""
    netlist = synthesise(verilog(hardware(layer, fold), "layer"), "layer", target, cache=cache)
    if target.family != "gowin":
        return packed(netlist, target)
    rams = ("SP", "SPX9", "DPB", "DPX9B", "SDPB", "SDPX9B", "pROM", "pROMX9")
    units = RESOURCES["gowin"]["dsp"]
    counts = {
        "lut": luts(netlist),
        "ff": flip_flops(netlist),
        "dsp": sum(n * units.get(cell, 0) for cell, n in netlist.cells.items()),
    }
    return counts | {"bram": sum(netlist.cells.get(cell, 0) for cell in rams)}


def sample(family: str, seed: int, cache: Cache) -> dict[str, Any]:
    """One measured layer: its folding, features and counts."""
    layer, target, rng = case(family, seed)
    fold = random_fold(rng, layer, target)
    return {
        "seed": seed, "device": target.name, "fold": fold_as_dict(fold),
        **described(layer, fold, target), "measured": measure(layer, fold, target, cache),
    }  # fmt: skip


def described(layer: LoweredLayer, fold: Fold, target: Device) -> dict[str, Any]:
    """Features of a layer, and its counted multipliers and blocks of RAM, for JSON."""
    features, exact = describe(layer, fold, target)
    return {
        "features": {name: n for name, n in sorted(features.items()) if n},
        "counted": {"dsp": exact.dsp, "bram": exact.bram},
    }


def layers_of(table: Mapping[str, Any], figure: str) -> list[CostSample]:
    """The layers of a family of which `figure` was measured."""
    rows = [row for row in table["samples"] if figure in row["measured"]]
    return [CostSample(row["features"], row["measured"]) for row in rows]


@cache
def networks_of(family: str) -> tuple[CostSample, ...]:
    """The measured networks of a family."""
    table = json.loads(NETWORKS.read_text()) if NETWORKS.exists() else {}
    return tuple(
        CostSample(row["features"], row["measured"], weight=TRUST) for row in table.get(family, [])
    )


def refit(table: dict[str, Any], family: str) -> None:
    """Prices of a family, from its measured layers and networks, into its table."""
    table["prices"], table["error_percent"] = {}, {}
    for figure in FIGURES:
        layers = layers_of(table, figure)
        networks = [row for row in networks_of(family) if figure in row.measured]
        prices = fit([*layers, *networks], figure, expected(figure, family), family)
        table["prices"][figure] = prices
        table["error_percent"][figure] = {
            name: round(mean_error(rows, prices, figure), 1)
            for name, rows in (("layers", layers), ("networks", networks))
            if rows
        }


def mean_error(rows: Sequence[CostSample], prices: Mapping[str, float], figure: str) -> float:
    """Mean absolute error in percent."""
    percents = errors(rows, prices, figure)
    return sum(map(abs, percents)) / len(percents)


def characterise(
    board: str,
    *,
    count: int,
    path: Path = PRICES,
    cache: Cache | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Measures layers until the family of `board` has `count`, fits its prices, and keeps both.

    Each layer is kept as soon as it is measured. progress: called with layers measured and layers
    wanted. Returns family, layers, prices, error_percent and tools. Raises RequestError for an
    unknown board.
    """
    family = device(board).family
    table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"families": {}}
    own = table["families"].setdefault(family, {"samples": []})
    for seed in _missing(own, count):
        own["samples"].append(sample(family, seed, cache or Cache()))
        _keep(table, path)
        progress(len(own["samples"]), count)
    own["tools"] = list(tool_versions(device(REPRESENTATIVE[family])))
    refit(own, family)
    _keep(table, path)
    return {"family": family, "layers": len(own["samples"])} | {
        name: own[name] for name in ("prices", "error_percent", "tools")
    }


def _missing(table: Mapping[str, Any], count: int) -> Iterator[int]:
    seeds = {row["seed"] for row in table["samples"]}
    return (seed for seed in range(count) if seed not in seeds)


def _keep(table: Mapping[str, Any], path: Path) -> None:
    write(path, json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    fitted = characterise(
        REPRESENTATIVE[sys.argv[1]],
        count=int(sys.argv[2]),
        progress=lambda done, total: print(done, total, file=sys.stderr, flush=True),
    )
    print(json.dumps(fitted["error_percent"]))
