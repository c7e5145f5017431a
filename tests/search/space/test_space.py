"""The search spaces: canonical candidates, stable ids, honest sizes, clear errors."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import data as datasets
from model.arch import ArchitectureError, kinds_used
from model.counts import macs_of
from search.space import space_files
from search.space.space import Candidate, Choice, Space, SpaceError, StageChoice

LEAST = {
    "8x8": 10**6, "table": 10**5, "28x28": 10**12, "28x28-large": 10**12, "32x32": 10**12,
}  # fmt: skip
SMALL: dict[str, Any] = {
    "shape": [8, 8, 1], "classes": 3, "input_bits": 5, "act_bits": 6, "score_bits": 10,
    "first": {
        "channels": [4, 8],
        "mult": {"conv": [3], "bits": [4]}, "shift": {"conv": [3], "bits": [3]},
    },
    "stage": [
        {
            "reduce": ["none", "maxpool", "stride"], "channels": [8, 12], "depth": [0, 2],
            "mult": {"conv": [1], "separable": [3], "bits": [6]},
            "add": {"conv": [1], "separable": [3], "bits": [4]},
        }
    ],
    "last": {"head": ["flatten", "globalavg"], "mult": {"bits": [4]}},
}  # fmt: skip


CHOSEN = SMALL | {
    "act_bits": [4, 6], "first": {"channels": [4], "mult": {"conv": [3], "bits": [2]}},
    "stage": [
        {
            "reduce": ["none", "stride"], "channels": [8], "depth": [0, 1, 2],
            "mult": {"conv": [1, 3], "residual": [3], "bits": [4]},
        }
    ],
}  # fmt: skip
"""Layers choose the bits of what they give, and some blocks are residual."""


@pytest.fixture(params=LEAST)
def space(request: pytest.FixtureRequest) -> Space:
    return space_files.load(request.param)


def all_of(space: Space) -> Iterator[Candidate]:
    """Every network of a space of one stage, some more than once."""
    stage = space.stages[0]
    ends = product(space.first_channels, space.first, space.heads, space.last)
    for (channels, first, head, last), depth in product(ends, stage.depth):
        for reduce, wide in product(stage.reduce, stage.channels):
            for layers in product(stage.choices, repeat=depth):
                if layers and layers[0].op == "residual":
                    continue
                chosen = StageChoice(reduce, wide, layers)
                if not layers:
                    chosen = StageChoice("maxpool" if reduce == "stride" else reduce, 0, ())
                yield Candidate(channels, first, (chosen,), head, last)


@pytest.mark.parametrize("table", [SMALL, CHOSEN], ids=["small", "chosen"])
def test_size_counts_every_network_once(table: dict[str, Any]) -> None:
    space = space_files.parse(table, "small")
    assert space.size == len(set(all_of(space))) == len({space.id(c) for c in all_of(space)})
    assert all(c in space for c in all_of(space))


def test_built_in_spaces_are_large(space: Space) -> None:
    assert space.size >= LEAST[space.name]
    assert space.kinds == ("add", "mult", "shift")


def test_sampling_mutation_and_crossover_stay_inside(space: Space) -> None:
    rng = random.Random(1)
    parents = [space.sample(rng) for _ in range(30)]
    children = [space.mutate(p, rng, 0.1) for p in parents]
    assert all(child != parent for child, parent in zip(children, parents, strict=True))
    crossed = [space.crossover(a, b, rng) for a, b in zip(parents, children, strict=True)]
    for candidate in (*parents, *children, *crossed):
        assert candidate in space
        arch = space.architecture(candidate)  # validated
        first, *inner, last = kinds_used(arch)
        ends = [[kind] if kind != "mult" else [] for kind in (first, last)]
        assert list(candidate.kinds) == ends[0] + inner + ends[1]
        assert arch.name.endswith(space.id(candidate))
        row = json.loads(json.dumps(candidate.as_dict()))
        assert Candidate.from_dict(row) == candidate
    again = random.Random(1)
    assert parents == [space.sample(again) for _ in range(30)]
    assert len({space.id(c) for c in parents}) == len(set(parents)) > 25


def test_every_layer_chooses_the_bits_of_what_it_gives() -> None:
    space = space_files.parse(CHOSEN, "small")
    assert (space.act_bits, space.acts) == (6, (4, 6))
    rng = random.Random(0)
    candidate = next(
        c for c in (space.sample(rng) for _ in range(100))
        if [layer.act_bits for layer in c.layers] == [4, 6, 4] and c.head == "globalavg"
    )  # fmt: skip
    arch = space.architecture(candidate)
    assert [b.act_bits for b in arch.blocks if b.op != "maxpool"] == [4, 6, 4, 6, 10]
    row = json.loads(json.dumps(candidate.as_dict()))
    assert row["act_bits"] == [4, 6, 4]
    assert Candidate.from_dict(row) == candidate
    with pytest.raises(SpaceError, match="a network of 3 layers has 2 act_bits; mend its row"):
        Candidate.from_dict(row | {"act_bits": [4, 6]})


def test_candidates_of_before_are_the_networks_that_they_were() -> None:
    """Their layers did not choose: all had the width of the space."""
    row = {
        "first": [8, "mult", "conv", 3, 6], "head": "globalavg", "last": ["mult", "dense", 1, 8],
        "stages": [
            {"reduce": "stride", "channels": 16, "layers": [["add", "conv", 3, 8]]},
            {"reduce": "stride", "channels": 48, "layers": [["shift", "separable", 5, 3]]},
            {"reduce": "stride", "channels": 24, "layers": [["shift", "separable", 3, 4]]},
        ],
    }  # fmt: skip
    candidate = Candidate.from_dict(row)
    assert space_files.load("28x28").id(candidate) == "0cf559270995"
    assert candidate.as_dict() == row


def test_residual_blocks_stand_where_shapes_stay() -> None:
    space = space_files.parse(CHOSEN, "small")
    rng = random.Random(3)
    candidates = [space.sample(rng) for _ in range(200)]
    candidates += [space.mutate(candidate, rng, 0.5) for candidate in candidates]
    ops = [[layer.op for layer in c.stages[0].layers] for c in candidates]
    assert ["conv", "residual"] in ops
    assert all(row[:1] != ["residual"] for row in ops)
    first = replace(
        candidates[0].stages[0], channels=8, layers=(Choice("mult", "residual", 3, 4, 4),)
    )
    assert replace(candidates[0], stages=(first,)) not in space
    assert space.largest("mult").stages[0].layers[1].op == "residual"


def test_id_does_not_change() -> None:
    space = space_files.load("8x8")
    assert space.id(space.largest("mult")) == "39e41a5a7602"
    assert space.id(space.sample(random.Random(0))) == "829617f2b8cd"


def test_largest_has_most_of_everything(space: Space) -> None:
    for kind in space.kinds:
        largest = space.largest(kind)
        assert largest in space
        assert set(largest.kinds) == {kind}
        assert [len(s.layers) for s in largest.stages] == [max(s.depth) for s in space.stages]
    with pytest.raises(SpaceError, match="kind attn: no layer of the space has it"):
        space.largest("attn")


def test_restricted_space_has_only_these_kinds(space: Space) -> None:
    rng = random.Random(2)
    only = space.restrict(["add", "shift"])
    drawn = [only.sample(rng) for _ in range(50)]
    assert {kind for c in drawn for kind in c.kinds} == {"add", "shift"}
    assert all(c in space for c in drawn)
    assert only.size < space.size
    assert {c.kind for c in (*only.first, *only.last)} == {"shift"}
    ends = space.restrict(["add"])
    assert {c.kind for c in (*ends.first, *ends.last)} == {"mult"}  # none of its own
    assert space.restrict(space.kinds).size == space.size
    with pytest.raises(
        SpaceError, match=r"kinds attn: not in space .*, which has add, mult, shift"
    ):
        space.restrict(["mult", "attn"])


def test_not_in_space() -> None:
    space = space_files.load("8x8")
    candidate = space.largest("mult")
    wide = replace(candidate.stages[0], channels=17)
    bits = replace(candidate.stages[0], layers=(Choice("mult", "conv", 3, 5),))
    for stage in (wide, bits):
        assert replace(candidate, stages=(stage, candidate.stages[1])) not in space
    assert replace(candidate, first_channels=5) not in space


def test_space_of_a_data_set() -> None:
    assert space_files.for_data(datasets.load("digits")).name == "8x8"
    data = datasets.load("digits")
    two = replace(data, classes=("a", "b"))
    assert (
        space_files.for_data(two).architecture(space_files.for_data(two).largest("mult")).classes
        == 2
    )


def test_larger_boards_have_larger_networks() -> None:
    images = np.zeros((6, 28, 28, 1), np.uint8)
    data = datasets.Dataset("own", images, np.arange(6), images, np.arange(6), tuple("abcdef"))
    small, large = (space_files.for_data(data, luts) for luts in (7680, 24_288))
    assert (small.name, large.name) == ("28x28", "28x28-large")
    assert space_files.for_data(data).name == small.name
    most = [macs_of(space.architecture(space.largest("mult"))) for space in (small, large)]
    assert most[1] > 2 * most[0]
    assert space_files.for_data(datasets.load("digits"), 24_288).name == "8x8"


@pytest.mark.parametrize(
    ("shape", "base"),
    [
        ((8, 8, 1), "8x8"), ((7, 11, 3), "8x8"), ((16, 16, 1), "28x28"), ((64, 13, 1), "28x28"),
        ((12, 12, 3), "32x32"), ((4, 5, 1), "8x8"), ((1, 1, 4), "table"), ((1, 1, 500), "table"),
    ],
)  # fmt: skip
def test_data_of_any_shape_have_a_space(shape: tuple[int, int, int], base: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, *shape)).astype(np.uint8)
    labels = np.arange(6) % 3
    data = datasets.Dataset("own", images, labels, images, labels, ("a", "b", "c"))
    space = space_files.for_data(data)
    assert space_files.based_on(shape, "own") == base
    assert (space.shape, space.input_bits, space.classes) == (shape, 8, 3)
    assert space.stages == space_files.load(base).stages
    rng = random.Random(0)
    for candidate in [space.largest("shift"), *(space.sample(rng) for _ in range(20))]:
        assert space.architecture(candidate).classes == 3


def test_images_too_narrow_for_built_in_spaces() -> None:
    data = datasets.load("digits")
    odd = replace(data, train_images=data.train_images[:, :3], name="odd")
    rule = "odd: no built-in space for 3×8×1, whose smaller side is less than 4; name a file"
    with pytest.raises(SpaceError, match=rule):
        space_files.for_data(odd)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("classes", 0, "small: classes 0 must be a positive integer"),
        ("shape", [8, 8], r"small: shape \[8, 8\] must be three integers: height, width, channels"),
        ("colour", 1, "small: unknown key 'colour'; known are shape"),
        ("first", {"div": {"conv": [3], "bits": [4]}, "channels": [4]},
         "small: first: unknown key 'div'; known are channels, add, mult, shift"),
        ("first", {"mult": {"separable": [3], "bits": [4]}, "channels": [4]},
         "small: first: mult: unknown key 'separable'; known are conv, bits"),
        ("last", {"mult": {"conv": [1], "bits": [4]}, "head": ["flatten"]},
         "small: last: mult: unknown key 'conv'; known are bits"),
        ("last", {"head": ["flatten"]},
         "small: last: no kind of layer; give it one of add, mult, shift"),
        ("last", {"mult": {"bits": [4]}, "head": ["mean"]},
         "small: last: head 'mean' must be different ones of flatten, globalavg"),
        ("stage", [SMALL["stage"][0] | {"depth": [1, 1]}],
         r"small: stage 1: depth \[1, 1\] must be different integers from 0"),
        ("stage", [SMALL["stage"][0] | {"add": {"separable": [1], "bits": [4]}}],
         "small: stage 1: add: a separable kernel 1 is a conv kernel 1; leave it out"),
        ("stage", [SMALL["stage"][0] | {"div": {"conv": [1], "bits": [4]}}],
         "small: stage 1: unknown key 'div'; known are reduce, channels, depth, add, mult, shift"),
        ("stage", [SMALL["stage"][0] | {"add": {"bits": [4]}}],
         "small: stage 1: add: no kernel; give it conv or separable"),
        ("stage", [SMALL["stage"][0] | {"add": {"conv": [1], "residual": [3], "bits": [4]}}],
         "small: stage 1: add: residual kernel 3 needs conv 3 beside it, for where it cannot st"),
        ("act_bits", [0, 4], r"small: act_bits \[0, 4\] must be from 1 to 16"),
        ("act_bits", [4, 17], r"small: act_bits \[4, 17\] must be different integers from 0 to 16"),
        ("act_bits", [], r"small: act_bits \[\] must be a list"),
        ("act_bits", "6", "small: act_bits '6' must be a positive integer"),
        ("stage", [{"reduce": ["none"], "channels": [4], "depth": [1]}],
         "small: stage 1: no kind of layer; give it one of add, mult, shift"),
    ],
)  # fmt: skip
def test_wrong_file(key: str, value: object, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        space_files.parse(SMALL | {key: value}, "small")


@pytest.mark.parametrize(
    ("place", "layers", "message"),
    [
        ("stage", {"shift": {"conv": [3], "bits": [1, 4]}},
         r"\(conv\): weight_bits 1 must be 2 to 4 for shift"),
        ("stage", {"shift": {"conv": [3], "residual": [3], "bits": [4, 9]}},
         r"\(conv\): weight_bits 9 must be 2 to 4 for shift"),
        ("stage", {"mult": {"conv": [2, 3], "bits": [4]}}, r"\(conv\): kernel 2 must be 1, 3 or 5"),
        ("stage", {"channels": [0, 8]}, "channels 0 must be positive"),
        ("first", {"channels": [0, 8]}, "channels 0 must be positive"),
        ("first", {"mult": {"conv": [3], "bits": [1, 4]}}, "weight_bits 1 must be 2 to 8 for mult"),
        ("last", {"mult": {"bits": [1, 4]}}, "weight_bits 1 must be 2 to 8 for mult"),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_is_refused_though_the_largest_can(
    place: str, layers: dict[str, Any], message: str
) -> None:
    row = SMALL[place]
    wrong = [row[0] | layers] if place == "stage" else row | layers
    with pytest.raises(ArchitectureError, match=message):
        space_files.parse(SMALL | {place: wrong}, "small")


def test_a_stage_may_lack_a_kind_that_another_has() -> None:
    row = SMALL["stage"][0]
    without = {key: value for key, value in row.items() if key != "add"}
    space = space_files.parse(SMALL | {"stage": [row, without]}, "small")
    largest = space.largest("add")
    assert [{layer.kind for layer in s.layers} for s in largest.stages] == [{"add"}, {"mult"}]
    assert largest in space
    only = space.restrict(["add"])  # stage 2 may be left out
    assert only.largest("add") in space
    assert [stage.depth for stage in only.stages] == [(0, 2), (0,)]
    needed = space_files.parse(SMALL | {"stage": [row, without | {"depth": [1]}]}, "small")
    assert [stage.depth for stage in needed.restrict(["add"]).stages] == [(0, 2), (1,)]
    rng = random.Random(3)
    assert all(needed.restrict(["add"]).sample(rng) in needed for _ in range(20))


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text((space_files.FOLDER / "8x8.toml").read_text().replace("[8, 12, 16]", "[8]"))
    assert space_files.load(own).name == "own"
    own.write_text("shape = [")
    with pytest.raises(SpaceError, match=r"own\.toml: not TOML"):
        space_files.load(own)
    with pytest.raises(SpaceError, match=r"9x9: neither a file nor a built-in space; built in are"):
        space_files.load("9x9")
