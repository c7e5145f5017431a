"""Seconds that people wait for each step, against size.

Planning and elaboration of chains of 3×3 convolutions that fill an ECP5-85F, by their layers; then
all steps of the smallest chain, by the LUTs that it may take. Seconds are those of the processor,
which other work on the machine does not change much; nextpnr has one thread. Alone:
python -m tests.bench.seconds
"""

from __future__ import annotations

import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from gen.engine.elaborate import elaborate
from gen.flow.build import Build, build
from gen.plan.plan import Plan
from gen.planner.planner import plan
from gen.support.devices import device
from model.spec import (
    Conv,
    Dense,
    Format,
    GlobalAvgPool,
    Head,
    Input,
    Network,
    Node,
    Requantise,
    infer,
)
from tests.support.layer_cases import random_weights

BOARD = "ulx3s-85f"
LAYERS = (4, 8, 16, 32)
LUTS = (2000, 4000, 8000)
PLANNED, ELABORATED = 3.0, 5.0
"""Seconds at most that are asked for, at any depth."""
_ROUTED = re.compile(r"Router\d time ([\d.]+)s")

Row = tuple[str, str, str, bool]
"""What, its value, the target, whether it is met."""
T = TypeVar("T")


def chain(depth: int, size: int = 32, channels: int = 16) -> Network:
    """`depth` convolutions of all kinds in turn over size × size pixels, then a classifier."""
    rng = random.Random(0)
    nodes: list[Node] = [Input("x", (size, size, 3), Format(8))]

    def requantised(name: str, form: Format) -> str:
        sums = infer(Network(tuple(nodes)))[name]
        scale = form.hi * (1 << 12) / max(abs(sums.lo), abs(sums.hi), 1)
        m = np.array([max(1, int(3 * scale * rng.uniform(0.5, 1))) for _ in range(sums.shape[2])])
        b = np.array([-sums.lo * int(m[0]) // 2 for _ in m])
        nodes.append(Requantise(f"{name}_q", (name,), m, b, 12, form))
        return f"{name}_q"

    last, inputs = "x", 3
    for k in range(depth):
        kind = ("mult", "shift", "add")[k % 3]
        weights = random_weights(rng, kind, 4, (channels, 3, 3, inputs))
        nodes.append(Conv(f"conv{k}", (last,), kind, weights, 4))
        last, inputs = requantised(f"conv{k}", Format(4)), channels
    nodes.append(GlobalAvgPool("mean", (last,)))
    last = requantised("mean", Format(4))
    nodes.append(Dense("dense", (last,), "mult", random_weights(rng, "mult", 4, (10, inputs)), 4))
    nodes.append(Head("head", (requantised("dense", Format(10, True)),)))
    return Network(tuple(nodes))


def by_layers() -> Iterator[Row]:
    """Planning and elaboration, at each depth."""
    target = device(BOARD)
    for depth in LAYERS:
        network = chain(depth)
        spent, made = timed(lambda n=network: plan(n, target))  # type: ignore[misc]
        yield row(f"plan, {depth} layers", spent, PLANNED)
        spent, core = timed(lambda n=network, p=made: elaborate(n, p))  # type: ignore[misc]
        size = f"{len(core.verilog) / 1e6:.1f} MB of Verilog"
        yield row(f"elaborate, {depth} layers, {size}", spent, ELABORATED)


def by_luts(cache: Path) -> Iterator[Row]:
    """Synthesis, placement, routing and packing, at each size."""
    network, target = chain(LAYERS[0]), device(BOARD)
    for most in LUTS:
        made: Plan = plan(network, target, luts=most)
        built = build(elaborate(network, made).verilog, "shiftadd_top", target, cache=cache)
        for step, spent in steps(built).items():
            yield row(f"{step}, {built.measured.lut:,} LUTs", spent)


def steps(built: Build) -> dict[str, float]:
    """Seconds by step, those of nextpnr divided into placing and routing."""
    spent = dict(built.seconds)
    log = built.files["report"].with_name("place.log").read_text(errors="replace")
    routing = sum(map(float, _ROUTED.findall(log)))
    return {
        "synthesis": spent["synthesis"],
        "placement": spent["place"] - routing,
        "routing": routing,
        "bitstream": spent["bitstream"],
    }


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Processor seconds of `work`, those of its children included, and its result."""
    before = sum(os.times()[:4])
    result = work()
    return sum(os.times()[:4]) - before, result


def row(what: str, spent: float, most: float | None = None) -> Row:
    limit = "" if most is None else f"at most {most:g} s"
    return what, f"{spent:.1f} s", limit, most is None or spent <= most


def rows() -> Iterator[Row]:
    """All rows, one after the other."""
    yield from by_layers()
    with tempfile.TemporaryDirectory() as folder:
        yield from by_luts(Path(folder))


def main() -> None:
    began = time.monotonic()
    for what, value, limit, ok in rows():
        print(f"{what:48} {value:>9} {limit:16} {'' if ok else 'missed'}", flush=True)
    print(f"in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
