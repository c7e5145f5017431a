# amaranth: UnusedElaboratable=no
"""Wired layers beside alkaid 0.8.2, run live on the same integers and through the same flow.

alkaid (LGPL-3.0, PyPI, the extra `bench`) compiles whole networks to pipelined adder graphs, as we
do where every layer is wired with an image a word. Two networks of 4-bit activations: digits
(conv 4×3×3, max-pool, dense 10) and jets (dense 16-64-32-32-5, half of the weights zero). Both
sides are a datapath without handshake between two shift registers, on an ECP5 LFE5U-85F, with our
passes, which serve both; the LUT that the output register takes a bit is taken off.

    python -m tests.bench.alkaid [jets] [digits]
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen.engine.units import wired
from gen.plan.lower import LoweredLayer, lower
from gen.support.cache import Cache
from gen.support.verilog import verilog
from model import golden
from model.spec import Conv, Dense, Format, Head, Input, MaxPool, Network, Requantise
from tests.bench.datapath import DEVICE, MHZ, Datapath, Measured, between, measure
from tests.bench.rivals import routed

CUTOFF = 2.0
"""Delay of a stage of alkaid, in its unit, an adder of few bits."""


class Layers(wiring.Component):
    """All layers of a network one behind another, an image a cycle."""

    def __init__(self, network: Network) -> None:
        self.units = [wired(layer, "image") for layer in lower(network) if _windowed(layer)]
        first, last = self.units[0], self.units[-1]
        outputs = len(last.built[1])
        super().__init__(
            {
                "x": In(first.x_shape.width * first.built[0].inputs),
                "y": Out(last.out_shape.width * outputs),
            }
        )

    @property
    def latency(self) -> int:
        return sum(unit.latency for unit in self.units)

    def evaluate(self, images: np.ndarray) -> np.ndarray:
        """Scores of images (N, H, W, C)."""
        values = images.reshape(len(images), -1)
        for unit in self.units:
            values = unit.evaluate(values)
        return values

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value: Value = self.x
        for k, block in enumerate(self.units):
            m.submodules[f"layer{k}"] = unit = block.component()
            m.d.comb += [unit.en.eq(1), unit.x.eq(value)]
            value = Cat(*getattr(unit, block.port))
        m.d.comb += self.y.eq(value)
        return m


def _windowed(layer: LoweredLayer) -> bool:
    return layer.window is not None


def ours(network: Network, images: torch.Tensor) -> Datapath:
    """Our wired layers, checked against the golden model."""
    layers = Layers(network)
    scores = golden.run(network, images)[network.nodes[-1].name].flatten(1).numpy()
    assert (layers.evaluate(images.numpy()) == scores).all()
    ports = ".clk(clk), .rst(1'b0), .x(given), .y(result)"
    return Datapath(verilog(layers, "layers"), "layers", ports, len(layers.x), len(layers.y))


def theirs(network: Network, images: torch.Tensor) -> Datapath:
    """alkaid's adder graph of the network, checked against the golden model."""
    alkaid_rtl = importlib.import_module("alkaid.codegen.rtl.rtl_model")
    alkaid_trace = importlib.import_module("alkaid.trace")
    x = _variables(network.input)
    scores = network.nodes[-1].name
    logic = alkaid_trace.trace(x, traced(network, x)[scores].ravel())
    wanted = golden.run(network, images)[scores].flatten(1).numpy()
    assert (logic.predict(images.flatten(1).double().numpy()) == wanted).all()
    with tempfile.TemporaryDirectory() as folder:
        alkaid_rtl.RTLModel(
            logic, folder, "top", latency_cutoff=CUTOFF, print_latency=False
        ).write()
        files = sorted(Path(folder, "src").rglob("*.v"))
        text = "\n".join(f.read_text() for f in files if f.name != "top_wrapper.v")
    bits_in, bits_out = (_width(text, port) for port in ("model_inp", "model_out"))
    ports = ".clk(clk), .model_inp(given), .model_out(result)"
    return Datapath(text, "top", ports, bits_in, bits_out)


def _variables(node: Input) -> Any:
    alkaid_trace = importlib.import_module("alkaid.trace")
    ones = np.ones(node.shape, int)
    return alkaid_trace.FVArray.from_kif(
        ones * node.format.signed, ones * (node.format.bits - node.format.signed), ones * 0
    )


def _width(text: str, port: str) -> int:
    """Bits of a port of alkaid's top module."""
    top = text.partition("module top (")[2]
    return int(top.partition(f"] {port}")[0].rpartition("[")[2].partition(":")[0]) + 1


def traced(network: Network, x: Any) -> dict[str, Any]:
    """alkaid's variables (H, W, C) of each node, as the golden model computes it."""
    values: dict[str, Any] = {}
    for node in network:
        source = x if isinstance(node, Input) else values[node.inputs[0]]
        values[node.name] = _traced(node, source)
    return values


def _traced(node: Any, x: Any) -> Any:
    match node:
        case Conv():
            return _conv(node, x)
        case Dense():
            return (x.ravel() @ node.weights.T.astype(float))[None, None]
        case MaxPool():
            k, (h, w, _) = node.kernel, x.shape
            rows = x[: h // k * k, : w // k * k].reshape(h // k, k, w // k, k, -1)
            return np.amax(np.amax(rows, 3), 1)
        case Requantise():
            unit = 2.0**-node.shift
            scaled = x * (node.multiplier * unit) + (node.offset + node.half) * unit
            bits, signed = node.format.bits, node.format.signed
            return scaled.quantize(signed, bits - signed, 0, "SAT", "TRN")
        case Input() | Head():
            return x
    raise ValueError(f"{node.name}: alkaid is asked for no {type(node).__name__} here")


def _conv(node: Conv, x: Any) -> Any:
    """Windows that lie within the image, or are padded with zeros, which add nothing."""
    out, kh, kw, _ = node.weights.shape
    pad = kh // 2 if node.padding == "same" else 0
    size = x.shape[0] + 2 * pad - kh + 1, x.shape[1] + 2 * pad - kw + 1
    rows = []
    for y, left in np.ndindex(*size):
        top, first = y - pad, left - pad
        ys = range(max(top, 0), min(top + kh, x.shape[0]))
        xs = range(max(first, 0), min(first + kw, x.shape[1]))
        taps = x[ys.start : ys.stop, xs.start : xs.stop].reshape(-1)
        w = node.weights[:, ys.start - top : ys.stop - top, xs.start - first : xs.stop - first]
        rows.append(taps @ w.reshape(out, -1).T.astype(float))
    return np.stack(rows).reshape(*size, out)


def jets(seed: int = 0) -> Network:
    """Dense 16-64-32-32-5, 4-bit weights, half of them zero; activations spread over 4 bits."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 16, (2000, 16))
    nodes: list[Any] = [Input("x", (1, 1, 16), Format(4))]
    for k, (size, out) in enumerate([(16, 64), (64, 32), (32, 32), (32, 5)]):
        weights = rng.integers(-8, 8, (out, size))
        weights[rng.random(weights.shape) < 0.5] = 0
        nodes.append(Dense(f"d{k}", (nodes[-1].name,), "mult", weights, 4))
        sums = values @ weights.T
        if out == 5:
            nodes.append(_scores("d3", out))
        else:
            multiplier = (256 * 4 / sums.std(0)).astype(np.int64)
            offset = (-multiplier * sums.mean(0)).astype(np.int64) + (6 << 8)
            nodes.append(Requantise(f"q{k}", (f"d{k}",), multiplier, offset, 8, Format(4)))
            values = np.clip((sums * multiplier + offset + 128) >> 8, 0, 15)
    return Network((*nodes, Head("scores", (nodes[-1].name,))))


def digits(seed: int = 0) -> Network:
    """Conv 4×3×3, max-pool 2, dense 10 on 8×8, 4-bit weights and activations."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-7, 8, (4, 3, 3, 1)), rng.integers(-7, 8, (10, 64))
    sums = weights[0].reshape(4, -1)
    # images of digits are half empty: sums within two thirds of what uniform pixels give
    deviation = np.sqrt((sums**2).sum(1)) * 5.0
    multiplier = (256 * 5 / deviation).astype(np.int64)
    return Network(
        (
            Input("x", (8, 8, 1), Format(4)),
            Conv("c", ("x",), "mult", weights[0], 4, padding="same"),
            Requantise("q", ("c",), multiplier, np.full(4, 300), 8, Format(4)),
            MaxPool("p", ("q",), 2, 2),
            Dense("d", ("p",), "mult", weights[1], 4),
            _scores("d", 10),
            Head("scores", ("scaled",)),
        )
    )


def _scores(source: str, classes: int) -> Requantise:
    """Sums as scores of 8 bits: an eighth of them."""
    ones, zeros = np.ones(classes, np.int64), np.zeros(classes, np.int64)
    return Requantise("scaled", (source,), ones, zeros, 3, Format(8, signed=True))


NETWORKS: Mapping[str, Callable[[], Network]] = {"jets": jets, "digits": digits}


def rows(names: list[str]) -> Iterator[tuple[str, str, Measured | str]]:
    """Both sides of each network; only ours where alkaid is not installed. A text: the router gave
    up, or took longer than an hour."""
    cache = Cache()
    sides = {"ours": ours}
    if importlib.util.find_spec("alkaid"):
        sides["alkaid"] = theirs
    else:
        print("alkaid is not installed: pip install 'shiftadd[bench]'")
    for name in names:
        network = NETWORKS[name]()
        shape = 640, *network.input.shape
        images = torch.from_numpy(np.random.default_rng(1).integers(0, 16, shape))
        for side, make in sides.items():
            path = make(network, images)
            made = partial(measure, path, cache)
            yield name, side, routed(between(path), DEVICE, MHZ, cache, made)


def main(names: list[str]) -> None:
    print("network  side      COMB  fmax MHz  results a second and LUT", flush=True)
    for network, side, got in rows(names or list(NETWORKS)):
        if isinstance(got, str):
            print(f"{network:7}  {side:6}  not routed: {got}", flush=True)
            continue
        print(
            f"{network:7}  {side:6}  {got.lut:6}  {got.fmax_mhz:8.1f}  {got.per_lut:,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
