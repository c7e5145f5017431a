"""Random layers: a small network, the block that computes one layer, and what must come out."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch

from gen.calibrate.random_layers import divided, with_classifier
from gen.engine import schedule
from gen.engine.assemble import HardwareBlock, assemble
from gen.engine.cycle_models import cycle_model
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Fold
from gen.planner.fold_candidates import folds
from gen.support.devices import device
from gen.support.verilog import verilog
from model import golden
from model.kind_shift import exponents
from model.spec import (
    AvgPool,
    Conv,
    Dense,
    Format,
    GlobalAvgPool,
    Input,
    MaxPool,
    Network,
    Node,
    Padding,
    Requantise,
    Tensor,
    check,
    infer,
)
from sim.bench.wrapper import StreamCase

OPS = ("conv", "depthwise", "dense", "maxpool", "avgpool", "globalavg", "overlapping")
PADDINGS: tuple[Padding, ...] = ("same", "valid")
POOLS: tuple[type[MaxPool | AvgPool], ...] = (MaxPool, AvgPool)


@dataclass(frozen=True)
class LayerCase:
    """One layer as hardware with its stimulus, and the cycles that the schedule predicts for it."""

    what: str
    stream: StreamCase
    cycles: schedule.Cycles


def random_weights(rng: random.Random, kind: str, bits: int, shape: tuple[int, ...]) -> np.ndarray:
    """Weights over their whole range, the ends and zero included."""
    draw = np.random.default_rng(rng.randrange(1 << 32))
    if kind == "shift":
        sizes = draw.integers(0, exponents(bits) + 1, shape)
        powers = np.where(sizes == 0, 0, 1 << np.maximum(sizes - 1, 0))
        return np.asarray(powers * draw.choice([-1, 1], shape))
    return draw.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)


def requantise(rng: random.Random, name: str, source: str, sums: Node, network: list[Node]) -> Node:
    """A requantiser that spreads the sums over its format, now and then with every special case."""
    tensor = check_partial([*network, sums])
    bits, signed = rng.randint(2, 8), rng.random() < 0.3
    channels = tensor.shape[2]
    shift = rng.choice([0, rng.randint(1, 12), rng.randint(8, 16)])
    reach = max(abs(tensor.lo), abs(tensor.hi), 1)
    scale = (1 << bits) * (1 << shift) / reach
    style = rng.choice(["any", "any", "equal", "power", "one"])
    draw = np.random.default_rng(rng.randrange(1 << 32))
    multiplier = np.clip((scale * draw.uniform(-1.5, 1.5, channels)).astype(np.int64), -255, 255)
    if style == "equal":
        multiplier[:] = multiplier[0]
    if style == "power":
        multiplier = (1 << draw.integers(0, 7, channels)) * draw.choice([-1, 1], channels)
    if style == "one":
        multiplier[:] = 1
    offset = draw.integers(-(1 << (shift + bits)), 1 << (shift + bits), channels)
    return Requantise(name, (source,), multiplier, offset, shift, Format(bits, signed))


def check_partial(nodes: list[Node]) -> Tensor:
    """Shape and range of the last of some nodes of an unfinished network."""
    return infer(Network(tuple(nodes)))[nodes[-1].name]


def random_network(rng: random.Random) -> tuple[Network, str]:
    """A network around one random operator; and the name of the layer that is meant."""
    op = rng.choice(OPS)
    h, w = rng.randint(3, 9), rng.randint(3, 9)
    c = rng.choice([1, 1, 2, 3, 4, 6, 8])
    kind = rng.choice(["mult", "shift", "add"])
    bits = rng.randint(2, 5) if kind == "shift" else rng.randint(2, 8)
    x = Input("x", (h, w, c), Format(rng.randint(1, 8), rng.random() < 0.25))
    nodes: list[Node] = [x]
    stride = rng.choice([1, 1, 2, 3])
    padding: Padding = rng.choice(PADDINGS)
    k = rng.choice([n for n in (1, 3, 5) if n <= min(h, w)])
    match op:
        case "conv":
            out = rng.choice([1, 2, 3, 4, 6, 8])
            weights = random_weights(rng, kind, bits, (out, k, k, c))
            node: Node = Conv("op", ("x",), kind, weights, bits, stride, padding)
        case "depthwise":
            weights = random_weights(rng, kind, bits, (c, k, k, 1))
            node = Conv("op", ("x",), kind, weights, bits, stride, padding, True)
        case "dense":
            weights = random_weights(rng, kind, bits, (rng.choice([1, 4, 6, 10]), h * w * c))
            node = Dense("op", ("x",), kind, weights, bits)
        case "maxpool":
            n = rng.choice([2, 3])
            node = MaxPool("op", ("x",), n, n)
        case "avgpool":
            n = rng.choice([2, 3])
            node = AvgPool("op", ("x",), n, n)
        case "globalavg":
            node = GlobalAvgPool("op", ("x",))
        case _:
            pool: type[MaxPool | AvgPool] = rng.choice(POOLS)
            node = pool("op", ("x",), 3, rng.choice([1, 2]))
    nodes.append(node)
    last = "op"
    if not isinstance(node, MaxPool):
        nodes.append(requantise(rng, "req", "op", node, nodes[:-1]))
        last = "req"
    network = with_classifier(nodes)
    check(network)
    return network, last


def pack(values: torch.Tensor, lanes: int, bits: int) -> list[int]:
    """Integers (N, H, W, C) as stream words of `lanes` values, the first in the low bits."""
    rows = values.reshape(-1, lanes).tolist()
    mask = (1 << bits) - 1
    return [sum((v & mask) << (k * bits) for k, v in enumerate(row)) for row in rows]


def isolate(layers: tuple[LoweredLayer, ...], name: str, fold: Fold) -> HardwareBlock:
    """The block of layer `name`, folded as `fold`, the others folded to nothing."""
    plain = {layer.name: folds(layer, device("ulx3s-25f"))[0] for layer in layers}
    built = assemble(layers, plain | {name: fold}, {})
    return next(b for b in built.blocks if b.name == name)


def layer_case(seed: int, images: int = 3) -> LayerCase:
    """The random layer of `seed`: same seed, same layer, same stimulus."""
    rng = random.Random(seed)
    network, name = random_network(rng)
    layers = lower(network)
    layer = next(one for one in layers if one.name == name)
    fold = rng.choice(folds(layer, device(rng.choice(["ulx3s-25f", "up5k", "tang-nano-9k"]))))
    return case_of(network, name, divided(rng, fold), seed, images)


def case_of(network: Network, name: str, fold: Fold, seed: int, images: int = 3) -> LayerCase:
    """Layer `name` of a network, folded as `fold`, with random images of `seed`."""
    layers = lower(network)
    layer = next(one for one in layers if one.name == name)
    block = isolate(layers, name, fold)
    x = network.input
    draw = np.random.default_rng(seed)
    shape = (images, *x.shape)
    pixels = torch.from_numpy(draw.integers(x.format.lo, x.format.hi + 1, shape))
    values = golden.run(network, pixels, keep=[name])[name]
    (edge,), lanes = block.outs, fold.lanes
    inputs = pack(pixels, lanes, x.format.bits)
    expected = pack(values, edge.lanes, edge.shape.width)
    graph = schedule.Graph()
    graph.add(block.name, cycle_model(block.description), 0)
    cycles = schedule.run(
        graph, words_in=len(inputs) // images, words_out=len(expected) // images, images=images
    )
    top = f"layer{seed}"
    stream = StreamCase(
        verilog(block.description.component(), top),
        top,
        inputs,
        expected,
        len(inputs) // images,
        len(expected) // images,
    )
    what = f"seed {seed}: {type(layer.op).__name__} {layer.kind} on {x.shape} {fold}"
    return LayerCase(what, stream, cycles)
