"""`make bench`: our figures on fixed workloads beside those of peers, and our speeds.

Peer figures, on the same tools: alkaid 22,703 COMB (a), FINN 2,741 COMB and 40 multipliers at
85 MHz (b), NNgen 9,819 COMB (c), MARLANN 256 M operations/s at 20 MHz on 3,854 LC (d). alkaid
is run live, too, where it is installed. What was built before, or could not be routed, is taken
from build/cache. Ends with status 1 when a target is missed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from amaranth.hdl import Module
from amaranth.lib import data as layouts
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from rich.console import Console
from rich.table import Table

from gen.calibrate.random_layers import last_layer, with_classifier
from gen.engine.elaborate import elaborate
from gen.engine.units import engine
from gen.flow.build import build
from gen.plan.lower import LoweredLayer
from gen.planner.fold_candidates import FoldCandidate, FoldCandidates, folds
from gen.planner.fold_optimiser import ResourceBudget
from gen.planner.planner import plan
from gen.support.cache import Cache
from gen.support.devices import Device, device
from gen.support.verilog import verilog
from model import data, golden, zoo
from model.spec import Conv, Dense, Format, Input, Network, Node, Requantise
from model.train import train
from rtl.layer import Engine
from rtl.streams import converters
from sim.board.faults import try_faults
from sim.verify.network import simulate
from tests.bench import alkaid as alkaid_bench
from tests.bench import clock as clock_bench
from tests.bench import energy as energy_bench
from tests.bench import evidence as evidence_bench
from tests.bench import lanes as lanes_bench
from tests.bench import rivals
from tests.bench import search as search_bench
from tests.bench import seconds as seconds_bench
from tests.bench import wired as wired_bench
from tests.bench.datapath import Measured
from tests.bench.rivals import Rivalry
from tests.support.deploy_cases import small_bundle, some_examples
from tests.support.layer_cases import random_weights, requantise
from tests.support.networks import residual_network

KINDS = ("mult", "shift", "add")
RATES: tuple[tuple[str, dict[str, Any], str, int], ...] = (
    ("1 M a second", {"fps": 1e6}, "ulx3s-25f", 1500),
    ("fastest behind a port of a byte", {}, "ulx3s-25f", 2600),
    ("a result a cycle", {"port": 4096, "mhz": 120.0}, "ulx3s-85f", 3200),
)
"""What is asked of the digits convolution, where, and results a second and LUT to be reached."""
SMALLEST = 450
"""LUTs of the digits convolution when nobody waits."""
DENSE = {"mult": (500, 16), "shift": (1000, 0), "add": (550, 0)}
"""LUTs and multipliers of the dense layer, at most."""
LUTS_ALONE = np.array([1.0, 1e-6, 1e-6, 1e-6])
"""Prices of LUTs, flip-flops, multipliers and blocks of RAM where LUTs are to be few."""
PER_LUT = 3200
"""Results a second and LUT of a network that gives one a cycle."""
CONV = {"mult": 2600e6}
"""Operations a second of the convolution on UP5K, at least."""
EPOCHS = 60
WORK = Path("build/bench")
FAULTS = 10_000


@dataclass(frozen=True)
class FigureRow:
    """One measured figure; `limit` is the target and `ok` whether it is met. beside: a rival's."""

    workload: str
    what: str
    value: str
    limit: str = ""
    ok: bool = True
    beside: Rivalry | None = None


class Alone(wiring.Component):
    """A layer engine behind streams of one value a word, so that it has few pins."""

    def __init__(self, what: Engine) -> None:
        self.what = what
        super().__init__(
            {
                "i": In(stream.Signature(layouts.ArrayLayout(what.x_shape, 1))),
                "o": Out(stream.Signature(layouts.ArrayLayout(what.out_shape, 1))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        e = self.what
        units: list[wiring.Component] = [
            *(c.component() for c in converters(e.x_shape, 1, e.geometry.lanes)),
            e.component(),
            *(c.component() for c in converters(e.out_shape, e.out_lanes, 1)),
        ]
        for k, unit in enumerate(units):
            m.submodules[f"unit{k}"] = unit
        wiring.connect(m, wiring.flipped(self.i), units[0].i)
        for a, b in pairwise(units):
            wiring.connect(m, a.o, b.i)
        wiring.connect(m, units[-1].o, wiring.flipped(self.o))
        return m


def layer_of(
    op: Node, shape: tuple[int, int, int], bits: int, *, multipliers: bool = True
) -> LoweredLayer:
    """`op` as a layer with a requantiser to `bits` bits, in a network made around it.

    Random inputs spread over all results: what is always the same would be dropped by synthesis.
    Without `multipliers` the requantiser scales by powers of two: the layer has none at all.
    """
    import random

    rng = random.Random(1)
    nodes: list[Node] = [Input("x", shape, Format(bits)), op]
    spread = requantise(rng, "r", op.name, op, nodes[:1])
    assert isinstance(spread, Requantise)
    draw = np.random.default_rng(1)
    channels = len(spread.multiplier)
    scale = draw.integers(65, 256, channels) if multipliers else 1 << draw.integers(5, 9, channels)
    images = torch.from_numpy(draw.integers(0, 1 << bits, (64, *shape)))
    sums = golden.run(with_classifier([*nodes, spread]), images, keep=[op.name])[op.name]
    centre, reach = (sums.double().flatten(0, 2).numpy().mean(0), float(sums.double().std()))
    shift = max(1, round(math.log2(reach * scale.mean() / (1 << bits - 2))))
    offset = (-scale * centre).astype(np.int64) + (1 << shift + bits - 1)
    nodes.append(replace(spread, multiplier=scale, offset=offset, shift=shift, format=Format(bits)))
    return last_layer(nodes)


def best(layer: LoweredLayer, target: Device, budget: ResourceBudget) -> FoldCandidate:
    """The fastest folding within the budget, of equals the one of least LUTs."""
    offers = FoldCandidates(layer, target)
    room = np.array(astuple(budget))
    for cycles in np.unique(offers.cycles).tolist():
        made = offers.best(LUTS_ALONE, cycles, room)
        if budget.exceeded(made.cost) is None:
            return made
    raise AssertionError("nothing fits")


def shapes(
    layer: LoweredLayer, target: Device, *, cycles: int, budget: ResourceBudget
) -> list[FoldCandidate]:
    """The best folding at `cycles`, which may be divided, and the best ones of two numbers of PE
    that promise least LUTs."""
    offers = FoldCandidates(layer, target)
    room = np.array(astuple(budget))
    fits: dict[int, FoldCandidate] = {}
    for fold in folds(layer, target):
        made = offers.option(fold)
        inside = budget.exceeded(made.cost) is None and made.cycles <= cycles
        if inside and (fold.pe not in fits or made.cost.lut < fits[fold.pe].cost.lut):
            fits[fold.pe] = made
    whole = sorted(fits.values(), key=lambda o: o.cost.lut)
    chosen = [offers.best(LUTS_ALONE, cycles, room), *whole]
    return list({one.fold: one for one in chosen}.values())[:3]


def digits_conv() -> Iterator[FigureRow]:
    """(a) conv 4×3×3, max-pool 2, dense 10 on 8×8 digits, 4-bit weights and activations."""
    digits = data.load("digits")
    for kind in KINDS:
        made = train(
            zoo.load(f"digits_conv_{kind}"),
            digits,
            epochs=EPOCHS,
            seed=0,
            out=WORK / f"a-{kind}",
            quiet=True,
        )
        if kind == "mult":
            yield from rates(made.network)
        accuracy = made.accuracy["integer"]
        yield FigureRow(
            "a", f"{kind}: accuracy", f"{100 * accuracy:.1f} %", "≥ 86.1 %", accuracy >= 0.861
        )
        for board, limit in (("ulx3s-25f", 22_703 / 8), ("up5k", 5280)):
            target = device(board)
            folded = plan(made.network, target, fps=20_000 if board == "ulx3s-25f" else 5_000)
            built = elaborate(made.network, folded)
            got = build(built.verilog, built.top, target).measured
            yield FigureRow(
                "a",
                f"{kind}: {board}, {got.fmax_mhz:.0f} MHz, "
                f"{got.fmax_mhz * 1e6 / folded.cycles_interval:,.0f} images/s",
                f"{got.lut} LUT, {got.dsp} DSP",
                f"< {limit:.0f}",
                got.lut < limit,
            )


def rates(network: Network) -> Iterator[FigureRow]:
    """Results a second and LUT at several rates, and the least LUTs."""
    for what, asked, board, limit in RATES:
        target = device(board)
        folded = plan(network, target, **asked)
        built = elaborate(network, folded)
        mhz = asked.get("mhz", target.mhz)
        made = partial(build, built.verilog, built.top, target, mhz=mhz, bitstream=False)
        placed = rivals.routed(built.verilog, target, mhz, Cache(), made)
        if isinstance(placed, str):
            yield FigureRow("a", f"{what}: {board}", f"not routed: {placed}", f"≥ {limit:,}", False)
            continue
        got = placed.measured
        rate = got.fmax_mhz * 1e6 / folded.cycles_interval
        yield FigureRow(
            "a",
            f"{what}: {board}, {got.lut:,} LUT, {got.dsp} DSP, {got.fmax_mhz:.0f} MHz, "
            f"{rate:,.0f} results/s",
            f"{rate / got.lut:,.0f} results/s and LUT",
            f"≥ {limit:,}",
            rate / got.lut >= limit,
        )
    target = device("ulx3s-25f")
    built = elaborate(network, plan(network, target, fps=1000))
    got = build(built.verilog, built.top, target, bitstream=False).measured
    yield FigureRow(
        "a", "smallest: ulx3s-25f", f"{got.lut} LUT", f"≤ {SMALLEST}", got.lut <= SMALLEST
    )


def dense() -> Iterator[FigureRow]:
    """(b) dense 64→32, 4 × 4 bits, 64 cycles a vector, on ECP5: the least of three foldings tried.

    Shift and add are free of multipliers end to end, the requantiser included.
    """
    import random

    target = device("ulx3s-45f")
    for kind in KINDS:
        weights = random_weights(random.Random(2), kind, 4, (32, 64))
        op = Dense("op", ("x",), kind, weights, 4)
        layer = layer_of(op, (1, 1, 64), 4, multipliers=kind == "mult")
        luts, limit = DENSE[kind]
        tried = [
            (
                o,
                build(
                    verilog(Alone(engine(layer, o.fold)), "dense"), "dense", target, bitstream=False
                ),
            )
            for o in shapes(
                layer, target, cycles=64, budget=replace(ResourceBudget.of(target), dsp=limit)
            )
        ]
        chosen, made = min(tried, key=lambda pair: pair[1].measured.lut)
        got = made.measured
        ok = got.lut <= luts and got.dsp <= limit and got.fmax_mhz >= 120
        yield FigureRow(
            "b",
            f"{kind}: {chosen.fold.pe} PE × {chosen.fold.lanes}, {chosen.cycles} cycles, "
            f"{got.fmax_mhz:.0f} MHz (≥ 120)",
            f"{got.lut} COMB, {got.dsp} multipliers",
            f"≤ {luts}, ≤ {limit}",
            ok,
            Rivalry(f"dense 64→32, 64 cycles, {kind}", "COMB", got.lut, "FINN", 2741, fewer=True),
        )


def mlp() -> Iterator[FigureRow]:
    """(c) MLP 64-16-10, int8, weights on chip, on ECP5."""
    made = train(
        zoo.load("digits_mlp"),
        data.load("digits"),
        epochs=EPOCHS,
        seed=0,
        out=WORK / "c",
        quiet=True,
    )
    target = device("ulx3s-25f")
    folded = plan(made.network, target, fps=50_000)
    built = elaborate(made.network, folded)
    got = build(built.verilog, built.top, target).measured
    yield FigureRow(
        "c",
        f"accuracy {100 * made.accuracy['integer']:.1f} %, {got.fmax_mhz:.0f} MHz, "
        f"{got.fmax_mhz * 1e6 / folded.cycles_interval:,.0f} images/s",
        f"{got.lut} COMB, {got.dsp} multipliers",
        f"≤ {9819 // 5}",
        got.lut <= 9819 / 5,
        Rivalry("MLP 64-16-10, int8", "COMB", got.lut, "NNgen", 9819, fewer=True),
    )


def conv_up5k() -> Iterator[FigureRow]:
    """(d) the fastest 3×3 convolution 16→32 on 14×14, 8-bit activations, on UP5K."""
    import random

    target = device("up5k")
    peer = 256e6 / 3854
    for kind in KINDS:
        bits = 4 if kind == "shift" else 8
        weights = random_weights(random.Random(3), kind, bits, (32, 3, 3, 16))
        layer = layer_of(Conv("op", ("x",), kind, weights, bits), (14, 14, 16), 8)
        # a layer alone routes where a network of that size would not
        most = replace(ResourceBudget.of(target), lut=0.95 * target.lut)
        chosen = best(layer, target, most)
        text = verilog(Alone(engine(layer, chosen.fold)), "conv")
        got = build(text, "conv", target, bitstream=False).measured
        rate = layer.macs / chosen.cycles * got.fmax_mhz * 1e6
        least, beside = CONV.get(kind, 0), rate / got.lut / peer
        yield FigureRow(
            "d",
            f"{kind}: {layer.macs // chosen.cycles} lanes at {got.fmax_mhz:.0f} MHz, "
            f"{got.lut} LC, {got.dsp} DSP",
            f"{rate / 1e6:,.0f} M operations/s",
            f"≥ {least / 1e6:,.0f} M; MARLANN 256 M, per LC × {beside:.1f}",
            beside > 1 and rate >= least,
            Rivalry(
                f"conv 16→32 on UP5K, {kind}",
                "operations/s and LC",
                rate / got.lut,
                "MARLANN",
                peer,
            ),
        )


def speeds() -> Iterator[FigureRow]:
    """Seconds of our own: training, golden model, simulation."""
    digits = data.load("digits")
    images = torch.from_numpy(digits.test_images)
    made = train(zoo.load("digits_hybrid"), digits, epochs=5, seed=0, quiet=True)
    rate = 5 * len(digits.train_images) / made.seconds
    yield FigureRow("speed", "training, digits_hybrid", f"{rate:,.0f} images/s")
    many = images.repeat(10, 1, 1, 1)
    began = time.perf_counter()
    golden.run(made.network, many)
    rate = len(many) / (time.perf_counter() - began)
    yield FigureRow("speed", "golden model, digits_hybrid", f"{rate:,.0f} images/s")
    accelerator = elaborate(made.network, plan(made.network, device("up5k"), fps=5000))
    result = simulate(made.network, accelerator, images[:64])
    yield FigureRow(
        "speed", "RTL in Verilator", f"{result.cycles_per_second:,.0f} cycles/s", ok=result.ok
    )


def faults() -> Iterator[FigureRow]:
    """Malformed frames of every category between good requests, and all other faults, against the
    virtual board."""
    network = residual_network()
    bundle, tests = small_bundle(network, WORK / "faults"), some_examples(network)
    counts = try_faults(bundle, tests, network, count=FAULTS)
    total, others = counts.total, counts.mishaps.values()
    yield FigureRow(
        "link",
        f"{total.sent:,} malformed frames of {len(counts.frames)} categories, {total.good:,} good "
        f"ones between them, {counts.seconds:.0f} s",
        f"{total.wrong} wrong, {total.lost} lost, {total.hung} hung",
        "0 wrong, 0 lost, 0 hung",
        not total.harm,
    )
    yield FigureRow(
        "link",
        f"{sum(m.tried for m in others)} other faults: {', '.join(counts.mishaps)}",
        f"{sum(m.held for m in others)} as they must be",
        "all",
        counts.ok,
    )


def evidence() -> Iterator[FigureRow]:
    """The demo's network at each level below RTL."""
    for what, evidence in evidence_bench.proofs():
        value = (
            f"{evidence.mismatches} of {evidence.images} images differ, {evidence.seconds:.0f} s"
        )
        yield FigureRow("evidence", what, value, "0", evidence.ok)


def search() -> Iterator[FigureRow]:
    """Candidates a second that the search scores."""
    for row in search_bench.rows():
        yield FigureRow("search", *row)


def seconds() -> Iterator[FigureRow]:
    """What people wait for each step, against size; and the search for an energy."""
    for row in (*energy_bench.rows(), *seconds_bench.rows()):
        yield FigureRow("seconds", *row)


def wired() -> Iterator[FigureRow]:
    """Layers whose weights are wiring."""
    for case, got in wired_bench.rows():
        each = got.lut / wired_bench.SIZE**2
        what = f"{case}, {got.fmax_mhz:.0f} MHz"
        yield FigureRow(
            "wired", what, f"{each:.2f} LUT a weight", f"≤ {case.limit}", each <= case.limit
        )


def beside_alkaid() -> Iterator[FigureRow]:
    """An image a cycle, ours and alkaid's of the same integers."""
    ours: Measured | str = ""
    for name, side, got in alkaid_bench.rows(list(alkaid_bench.NETWORKS)):
        limit, beside = PER_LUT if side == "ours" else 0, None
        if side == "ours":
            ours = got
        else:
            mine, theirs = (None if isinstance(o, str) else o.per_lut for o in (ours, got))
            beside = Rivalry(
                f"{name}, an image a cycle", "results/s and LUT", mine, "alkaid", theirs
            )
        value, met = f"not routed: {got}", not limit
        if not isinstance(got, str):
            met = got.per_lut >= limit
            value = (
                f"{got.per_lut:,.0f} results/s and LUT: {got.lut:,} COMB at {got.fmax_mhz:.0f} MHz"
            )
        what = f"{name}, an image a cycle: {side}"
        yield FigureRow("peer", what, value, f"≥ {limit:,}" if limit else "", met, beside)


def main() -> int:
    console = Console()
    rows: list[FigureRow] = []
    table = Table(title="bench", title_justify="left")
    for column in ("", "what", "measured", "target", ""):
        table.add_column(column)
    for part in (
        digits_conv,
        dense,
        mlp,
        conv_up5k,
        speeds,
        seconds,
        search,
        evidence,
        faults,
        wired,
        beside_alkaid,
    ):
        for row in part():
            rows.append(row)
            console.print(f"({row.workload}) {row.what}: {row.value} {row.limit}", highlight=False)
            table.add_row(row.workload, row.what, row.value, row.limit, "✓" if row.ok else "missed")
    console.print(table)
    console.print(rivals.table(row.beside for row in rows if row.beside))
    lanes_bench.main()
    clock_bench.main([])
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
