"""Architectures: JSON round trip, stable ids, the rules and their messages, the built-in ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model import arch, zoo
from model.arch import Architecture, ArchitectureError, Block
from model.net import Net, export
from model.zoo import ARCHITECTURES
from tests.support.paths import ROOT

BASE = Architecture("a", (8, 8, 1), (Block("conv", "add", 4), Block("dense", channels=3)), 5)


def test_round_trip(tmp_path: Path) -> None:
    for architecture in (*ARCHITECTURES.values(), BASE):
        assert zoo.load(arch.save(architecture, tmp_path / "a.json")) == architecture
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_id_is_stable_and_ignores_the_name() -> None:
    assert BASE.id == replace(BASE, name="b").id == "c5452623a0a2"
    changed = {BASE.id, replace(BASE, input_bits=4).id, replace(BASE, blocks=BASE.blocks[1:]).id}
    assert len(changed) == 3
    assert len({BASE, replace(BASE), replace(BASE, input_bits=4)}) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"op": "con"}, "a: block 0 (con): op 'con' must be one of conv, depthwise, separable, "),
        ({"kind": "xor"}, "a: block 0 (conv): kind 'xor' must be one of add, mult, shift"),
        ({"kernel": 2}, "a: block 0 (conv): kernel 2 must be 1, 3 or 5 (positive in a pool)"),
        ({"kernel": "3"}, "a: block 0 (conv): kernel '3' must be an integer"),
        ({"stride": 5}, "a: block 0 (conv): stride 5 must be 1 to 4"),
        ({"channels": 0}, "a: block 0 (conv): channels 0 must be positive where outputs are"),
        ({"weight_bits": 9}, "a: block 0 (conv): weight_bits 9 must be 2 to 8 for add"),
        (
            {"kind": "shift", "weight_bits": 5},
            "a: block 0 (conv): weight_bits 5 must be 2 to 4",
        ),
        ({"act_bits": True}, "a: block 0 (conv): act_bits True must be an integer"),
        ({"padding": "full"}, "a: block 0 (conv): padding 'full' must be one of same, valid"),
        (
            {"op": "maxpool", "channels": 0, "kernel": 9},
            "a: block 0 (maxpool): kernel 9 is ",
        ),
        (
            {"op": "residual", "padding": "valid"},
            "a: block 0 (residual): padding 'valid' must be",
        ),
    ],
)
def test_block_rules(changes: dict[str, Any], message: str) -> None:
    block = replace(BASE.blocks[0], **changes)
    with pytest.raises(ArchitectureError) as error:
        arch.validate(replace(BASE, blocks=(block, BASE.blocks[1])))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 9}, "f: format version 9 is not 1, the one known here; update shiftadd"),
        ({"format": "x"}, "f: not of format 'shiftadd-architecture'"),
        ({"colour": 1}, "f: $: unknown field 'colour'; known are "),
        ({"shape": 3}, "f: $.shape: Expected array, got int (3)"),
        ({"shape": [8, 8]}, "f: $.shape: Expected array of length 3, got 2"),
        ({"blocks": []}, "a: blocks () must be 1 to 1000, the last of them dense"),
        ({"blocks": [{"kind": "add"}]}, "f: $.blocks[0]: Object missing required field op; mend"),
        ({"input_bits": 9}, "a: input_bits 9 must be 1 to 8"),
        ({"multiplier": "float"}, "a: multiplier 'float' must be one of integer, two-digit, power"),
        ({"id": "0"}, "f: id '0' is not "),
        ({"id": {"a": 1}}, "f: id {'a': 1} is not "),
        ({"name": "../../../x"}, "../../../x: name '../../../x' must be a plain name"),
        ({"name": ".x"}, ".x: name '.x' must be a plain name"),
        ({"name": ""}, ": name '' must be a plain name"),
        ({"name": "a\nb"}, "a\\nb: name 'a\\nb' must be a plain name"),
        ({"name": "a" * 101}, f"{'a' * 56}...: name"),
        ({"shape": [1 << 20, 1 << 20, 1]}, "a: shape (1048576, 1048576, 1) must be three pos"),
        ({"shape": [1e308, 8, 1]}, "f: $.shape[0]: 1e+308 must be a number up to 1e+100"),
        (
            {"blocks": [{"op": "dense", "channels": 1 << 40}]},
            "a: block 0 (dense): 70368744177664",
        ),
    ],
)
def test_bad_json(changes: dict[str, Any], message: str) -> None:
    row = json.loads(arch.to_json(BASE)) | changes
    with pytest.raises(ArchitectureError) as error:
        arch.from_json(json.dumps(row), "f")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_load_says_what_is_built_in() -> None:
    with pytest.raises(ArchitectureError, match="nor built in; built in are digits_hybrid"):
        zoo.load("nothing")
    with pytest.raises(ArchitectureError, match="f: not JSON"):
        arch.from_json("{", "f")


def test_with_kind_keeps_first_and_last() -> None:
    hybrid = ARCHITECTURES["digits_hybrid"]
    assert list(arch.kinds_used(hybrid)) == ["mult", "add", "shift", "mult"]
    for kind in ("mult", "shift", "add"):
        assert list(arch.kinds_used(arch.with_kind(hybrid, kind))) == ["mult", kind, kind, "mult"]


def test_built_in_sizes() -> None:
    """What the demo and the reference promise: small enough, all three kinds, 8 bits or fewer."""
    limits = {"digits_hybrid": 5_000, "fashion_hybrid": 100_000}
    for name, limit in limits.items():
        architecture = ARCHITECTURES[name]
        network = export(Net(architecture))
        assert network.weight_count <= limit
        assert set(arch.kinds_used(architecture)) == {"mult", "shift", "add"}
        assert max(b.weight_bits for b in architecture.blocks) <= 8
        assert max(b.act_bits for b in architecture.blocks[:-1]) <= 8


def test_the_schema_in_the_documents_is_that_of_the_fields() -> None:
    """And it says of the files that are written what `validate` says."""
    schema = arch.schema()
    text = (ROOT / "docs" / "architecture.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == schema
    row = json.loads(arch.to_json(BASE))
    assert row.keys() == schema["properties"].keys()
    block = schema["$defs"]["Block"]
    assert all(part.keys() == block["properties"].keys() for part in row["blocks"])
    assert block["properties"]["op"]["enum"] == list(arch.OPS)
    assert schema["required"] == ["format", "version", "name", "shape", "blocks"]
    document = (ROOT / "docs" / "architecture-file.md").read_text(encoding="utf-8")
    example = document.split("```json\n")[1].split("```")[0]
    assert arch.from_json(example).name == "my_network"
    names = {*block["properties"], *schema["properties"]}
    assert not {name for name in names if f"`{name}`" not in document}
