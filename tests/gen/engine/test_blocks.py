"""One description a block: everything else about it is found from that, and assembling reads no
number from hardware."""

from __future__ import annotations

import inspect
import random
from collections import Counter

import pytest
from amaranth.hdl import signed
from amaranth.lib import wiring

import rtl.classifier_output
import rtl.layer
import rtl.pool
import rtl.streams
from gen.calibrate.random_layers import divided
from gen.cost.block_features import block_features
from gen.cost.features import converters, describe
from gen.cost.fifo_features import buffers
from gen.engine.assemble import assemble
from gen.engine.cycle_models import cycle_model
from gen.plan.lower import lower
from gen.planner.fold_candidates import folds
from gen.planner.planner import size_fifos
from gen.support.devices import device
from model.spec import Add, Head, Input
from rtl.block import BlockDescription, Words
from rtl.streams import Fifo
from tests.formal.claims import BLOCK_CLAIMS
from tests.support.layer_cases import random_network
from tests.support.networks import residual_network


def every_block(of: type[BlockDescription] = BlockDescription) -> set[type[BlockDescription]]:
    """All descriptions, in every module of rtl that has one."""
    below = {k for k in of.__subclasses__() if k.__module__.startswith("rtl.")}
    whole = {k for k in below if not inspect.isabstract(k)}
    return whole.union(*(every_block(k) for k in below))


class Unknown(BlockDescription):
    """A block that nobody has described further."""

    latency = 0

    @property
    def inputs(self) -> dict[str, Words]:
        return {}

    @property
    def outputs(self) -> dict[str, Words]:
        return {}

    def component(self) -> wiring.Component:
        raise NotImplementedError


def test_every_block_has_a_cycle_model_features_and_a_claim() -> None:
    blocks = every_block()
    assert {k.__name__ for k in blocks} == {
        "BlockPool", "ClassifierOutput", "ClassifierWord", "Engine", "Fifo", "Fork", "Join",
        "Narrow", "Widen",
    }  # fmt: skip
    for kind in blocks:
        assert cycle_model.dispatch(kind) is not cycle_model.dispatch(object), kind
        assert block_features.dispatch(kind) is not block_features.dispatch(object), kind
        assert BLOCK_CLAIMS[kind], kind


def test_a_block_that_lacks_one_is_named() -> None:
    with pytest.raises(TypeError, match=r"Unknown: no cycle model; register one in gen\.engine"):
        cycle_model(Unknown())
    with pytest.raises(TypeError, match="Unknown: its features are not counted"):
        block_features(Unknown(), device("up5k"))


def test_assembling_builds_no_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    network = residual_network()
    layers = lower(network)
    chosen = {la.name: folds(la, device("ulx3s-25f"))[-1] for la in layers}

    def refuse(self: object, *given: object) -> None:
        raise AssertionError(f"{type(self).__name__} was built")

    monkeypatch.setattr(wiring.Component, "__init__", refuse)
    depths, cycles = size_fifos(layers, chosen)
    assembly = assemble(layers, chosen, depths)
    assert cycles.latency > 0
    assert {type(b.description).__name__ for b in assembly.blocks} >= {"Engine", "Join", "Fork"}
    for block in assembly.blocks:
        assert block.description.latency >= 0
        assert [edge.port for edge in block.outs] == list(block.description.outputs)


@pytest.mark.parametrize("seed", range(24))
def test_features_of_a_block_are_those_of_its_layer(seed: int) -> None:
    rng = random.Random(seed)
    network, name = random_network(rng)
    layers = lower(network)
    layer = next(one for one in layers if one.name == name)
    target = device(rng.choice(["ulx3s-25f", "up5k", "tang-nano-9k"]))
    fold = divided(rng, rng.choice(folds(layer, target)))
    plain = {one.name: folds(one, target)[0] for one in layers}
    assembly = assemble(layers, plain | {name: fold}, {})
    block = next(b.description for b in assembly.blocks if b.name == name)
    counted, exact = describe(layer, fold, target)
    of_layer = +(counted + Counter(dsp=exact.dsp, bram=exact.bram))
    of_block = +block_features(block, target)
    if isinstance(block, rtl.pool.BlockPool) and block.op == "sum":
        # a plan counts the exact range of the sums, the unit is as wide as any input of its width
        assert of_block.keys() == of_layer.keys()
        assert of_block >= of_layer
    else:
        assert of_block == of_layer


def test_features_of_a_whole_network_are_those_of_its_blocks() -> None:
    target = device("ulx3s-25f")
    layers = lower(residual_network())
    chosen = {la.name: folds(la, target)[-1] for la in layers}
    depths, _ = size_fifos(layers, chosen)
    by_block: Counter[str] = Counter()
    for block in assemble(layers, chosen, depths).blocks:
        by_block += block_features(block.description, target)
    by_layer: Counter[str] = Counter()
    lanes = {la.name: 1 if isinstance(la.op, Input) else chosen[la.name].out_lanes for la in layers}
    for layer in layers:
        counted, exact = describe(layer, chosen[layer.name], target)
        by_layer += counted + Counter(dsp=exact.dsp, bram=exact.bram)
        want = 1 if isinstance(layer.op, Head) else chosen[layer.name].lanes
        for name, tensor in zip(layer.inputs, layer.sources, strict=True):
            by_layer += converters(tensor.bits, lanes[name], want)
    for counts in buffers(layers, chosen, depths, target).values():
        by_layer += counts
    assert any(isinstance(layer.op, Add) for layer in layers)
    assert by_block == by_layer


def test_unbounded_fifo_is_no_hardware() -> None:
    block = Fifo(shape=signed(4), lanes=2, depth=None)
    with pytest.raises(ValueError, match="an unbounded FIFO is no hardware"):
        block.component()
