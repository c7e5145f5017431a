# amaranth: UnusedElaboratable=no
"""Verilog text means what the component means: what Verilog cannot say is not left to it."""

from __future__ import annotations

import random

from amaranth.hdl import Cat, Module, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gen.calibrate.random_layers import with_classifier
from gen.plan.lower import lower
from gen.planner.fold_candidates import folds
from gen.support.devices import device
from gen.support.verilog import verilog
from model.spec import Conv, Format, Input
from sim.bench.streams import run_stream, run_streams
from tests.support.layer_cases import case_of, random_weights, requantise


class Reductions(wiring.Component):
    """o: the reductions of none, one and both bits of i, each with its complement."""

    def __init__(self) -> None:
        ports = {"i": In(stream.Signature(unsigned(2))), "o": Out(stream.Signature(unsigned(24)))}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results: list[Value] = []
        for width in range(3):
            bits = Signal(width, name=f"bits{width}")
            m.d.comb += bits.eq(self.i.payload)
            results += [bits.all(), bits.any(), bits.xor(), bits.bool()]
        m.d.comb += [
            self.o.payload.eq(Cat(results, (~result for result in results))),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def reduced(word: int) -> int:
    """What `Reductions` makes of a word."""
    results: list[bool] = []
    for width in range(3):
        bits = [word >> k & 1 for k in range(width)]
        results += [all(bits), any(bits), sum(bits) % 2 == 1, any(bits)]
    return sum(bit << k for k, bit in enumerate([*results, *(not result for result in results)]))


def test_reductions_of_no_bits_are_those_of_the_component(quick_simulator: str) -> None:
    words = list(range(4))
    text = verilog(Reductions(), "reductions")
    result = run_stream(
        text, "reductions", inputs=words, expected=[reduced(w) for w in words],
        simulator=quick_simulator,
    )  # fmt: skip
    assert result.ok, result


def test_shift_weights_of_two_bits(quick_simulator: str) -> None:
    """An exponent of one bit leaves none beside it: all of no bits are set."""
    rng = random.Random(3)
    weights = random_weights(rng, "shift", 2, (4, 3, 3, 2))
    x, op = Input("x", (4, 4, 2), Format(4, False)), Conv("op", ("x",), "shift", weights, 2)
    network = with_classifier([x, op, requantise(rng, "req", "op", op, [x])])
    layer = next(one for one in lower(network) if one.name == "req")
    built = [f for f in folds(layer, device("ulx3s-25f")) if f.weights != "wired"]
    chosen = rng.sample(built, 3)
    cases = [case_of(network, "req", fold, seed) for seed, fold in enumerate(chosen)]
    streams = [case.stream for case in cases]
    results = run_streams(streams, simulator=quick_simulator, stall_in=0.3, stall_out=0.2)
    for case, result in zip(cases, results, strict=True):
        assert result.ok, f"{case.what}: {result}"
