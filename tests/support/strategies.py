"""Hypothesis strategies: architectures, networks, plans and descriptions of boards."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from gen.host.link_protocol import VERSION, BoardInfo
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from model.arch import MULTIPLIERS, WEIGHTED, Architecture, ArchitectureError, Block, validate
from model.kinds import kind, kind_names
from model.spec import Input, Network
from tests.support.layer_cases import random_network

SEEDS = st.integers(0, 2**32 - 1)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
MEMORIES = st.sampled_from(("block", "distributed", "logic"))


@st.composite
def blocks(draw: st.DrawFn, op: str) -> Block:
    """A block of `op` that keeps the rules of one block, though perhaps too large for its image."""
    act_bits, stride = draw(st.integers(1, 16)), draw(st.integers(1, 4))
    if op not in WEIGHTED:
        return Block(op, kernel=draw(st.integers(1, 4)), stride=stride, act_bits=act_bits)
    name = draw(st.sampled_from(kind_names()))
    padding = "same" if op == "residual" else draw(st.sampled_from(("same", "valid")))
    channels = 0 if op == "depthwise" else draw(st.integers(1, 40))
    kernel, bits = draw(st.sampled_from((1, 3, 5))), draw(st.integers(*kind(name).weight_bits))
    return Block(op, name, channels, kernel, stride, padding, bits, act_bits)


PLAIN_NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
"""Of what may become a file."""
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
"""Of what a file may hold."""


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Any that is valid."""
    ops = ("conv", "depthwise", "separable", "residual", "maxpool", "avgpool", "globalavg")
    inner = [draw(blocks(op)) for op in draw(st.lists(st.sampled_from(ops), max_size=4))]
    sizes = st.integers(1, 40)
    made = Architecture(
        draw(PLAIN_NAMES), draw(st.tuples(sizes, sizes, sizes)),
        (*inner, draw(blocks("dense"))), draw(st.integers(1, 8)),
        draw(st.sampled_from(MULTIPLIERS)), draw(st.integers(2, 16)),
    )  # fmt: skip
    try:
        return validate(made)
    except ArchitectureError:
        assume(False)
        raise


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A network around one random layer, with names of its classes and what is told about it."""
    network, _ = random_network(random.Random(draw(SEEDS)))
    first, *rest = network
    assert isinstance(first, Input)
    first = replace(first, format=replace(first.format, frac=draw(st.integers(-9, 9))))
    names = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
    classes = draw(st.just(()) | st.tuples(names, names))
    about = draw(st.dictionaries(names, st.integers(-(1 << 63) + 1, (1 << 63) - 1)))
    return Network((first, *rest), classes, about)


FIGURES = st.integers(0, 10**6) | st.floats(0, 1e6)
COSTS = st.builds(Cost, FIGURES, FIGURES, st.integers(0, 999), st.integers(0, 999))
FOLDS = st.builds(
    Fold,
    pe=st.integers(1, 99), lanes=st.integers(1, 99), taps=st.integers(1, 25),
    out_lanes=st.integers(1, 99), multiplier=st.sampled_from(("dsp", "lut")),
    requant=st.sampled_from(("dsp", "lut")), weights=MEMORIES | st.just("parts"),
    line_buffer=MEMORIES,
)  # fmt: skip
PLANNED_LAYERS = st.builds(
    PlannedLayer, TEXTS, st.sampled_from(kind_names()), FOLDS, st.integers(0, 10**9), COSTS
)
DEPTHS = st.tuples(st.integers(0, 999), st.integers(0, 999))
PLANS = st.builds(
    Plan, HASHES, TEXTS, st.lists(PLANNED_LAYERS, max_size=4).map(tuple),
    st.dictionaries(TEXTS, DEPTHS, max_size=3), st.integers(0, 10**9), st.integers(0, 10**9),
    COSTS,
)  # fmt: skip
"""Plans of no network in particular: what a plan's file must keep."""

BOARD_INFOS = st.builds(
    BoardInfo, protocol=st.just(VERSION), design=HASHES, network=HASHES,
    height=st.integers(1, 65535), width=st.integers(1, 65535), channels=st.integers(1, 65535),
    input_bits=st.integers(1, 8), input_signed=st.booleans(), classes=st.integers(1, 256),
    score_bytes=st.integers(1, 8), score_signed=st.booleans(),
    clock_hz=st.integers(1, 2**32 - 1), baud=st.integers(1, 2**32 - 1),
    window=st.integers(1, 65535),
)  # fmt: skip
