"""Networks on disk: round trip, hash, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import store
from model.spec import Dense, Format, Head, Input, Network, NetworkError, Requantise, check


def network(weight: int = 3) -> Network:
    dense = Dense("d", ("x",), "mult", np.array([[1, -2], [weight, 4]]), 8)
    q = Requantise("q", ("d",), np.array([1, 300]), np.array([0, -70000]), 2, Format(8, True, 4))
    nodes = (Input("x", (1, 1, 2), Format(5, False, 5)), dense, q, Head("y", ("q",)))
    return Network(nodes, ("no", "yes"), {"seed": 1})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return store.save(network(), tmp_path / "a.net")


def edit(path: Path, **changes: object) -> None:
    head = json.loads((path / store.GRAPH).read_text())
    (path / store.GRAPH).write_text(json.dumps(head | changes))


def refused(path: Path) -> str:
    with pytest.raises(NetworkError) as error:
        store.load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_round_trip(saved: Path) -> None:
    loaded = store.load(saved)
    assert store.content_hash(loaded) == store.content_hash(network())
    assert loaded.about == {"seed": 1}
    assert loaded.classes == ("no", "yes")
    dense, requantise = loaded["d"], loaded["q"]
    assert isinstance(dense, Dense)
    assert isinstance(requantise, Requantise)
    assert dense.weights.tolist() == [[1, -2], [3, 4]]
    assert requantise.offset.tolist() == [0, -70000]
    assert requantise.format == Format(8, True, 4)
    assert sorted(p.name for p in saved.parent.iterdir()) == ["a.net"]


def test_hash_covers_content_only() -> None:
    base = store.content_hash(network())
    assert base == store.content_hash(replace(network(), about={"accuracy": 1}))
    assert base != store.content_hash(network(weight=5))
    assert base != store.content_hash(replace(network(), classes=("yes", "no")))
    dense = network()["d"]
    assert isinstance(dense, Dense)
    small = replace(
        dense, weights=dense.weights.astype(np.int8)
    )  # the type of an array is no content
    nodes = tuple(small if n.name == "d" else n for n in network())
    assert base == store.content_hash(replace(network(), nodes=nodes))


def test_replaces_a_network_only(saved: Path) -> None:
    store.save(network(weight=5), saved)
    dense = store.load(saved)["d"]
    assert isinstance(dense, Dense)
    assert dense.weights[1, 0] == 5
    (saved.parent / "notes").mkdir()
    with pytest.raises(NetworkError, match="exists and is not a network folder"):
        store.save(network(), saved.parent / "notes")


def test_refuses_missing_and_foreign(tmp_path: Path) -> None:
    assert "no such network" in refused(tmp_path / "none")
    assert "not a network" in refused(tmp_path)
    store.save(network(), tmp_path / "network")
    assert refused(tmp_path).endswith(f"; give {tmp_path / 'network'}")
    (tmp_path / store.GRAPH).write_text('{"format": "other"}')
    assert "not of format 'shiftadd-network'" in refused(tmp_path)
    (tmp_path / store.GRAPH).write_text("[1")
    assert "network.json: not JSON" in refused(tmp_path)


def test_refuses_newer(saved: Path) -> None:
    edit(saved, version=2)
    assert "format version 2 is not 1, the one known here; update shiftadd" in refused(saved)


def test_refuses_every_truncation(saved: Path) -> None:
    whole = (saved / store.ARRAYS).read_bytes()
    for size in (0, 4, len(whole) // 2, len(whole) - 1):
        (saved / store.ARRAYS).write_bytes(whole[:size])
        assert "weights.safetensors: not safetensors" in refused(saved)
    (saved / store.ARRAYS).unlink()
    assert "weights.safetensors: cannot be read (No such file" in refused(saved)


def test_refuses_an_array_of_another_shape_than_the_graph_says(saved: Path) -> None:
    """Its numbers are those that the hash is of, so that nothing else would tell."""
    graph = json.loads((saved / store.GRAPH).read_text())
    for node in graph["nodes"]:
        for value in node.values():
            if isinstance(value, dict) and "array" in value:
                value["array"][0] += 4
                edit(saved, nodes=graph["nodes"])
                assert "in weights.safetensors, the graph says" in refused(saved)
                value["array"][0] -= 4
    edit(saved, nodes=graph["nodes"])
    assert store.load(saved)


def test_refuses_flipped_bits(saved: Path) -> None:
    whole = bytearray((saved / store.ARRAYS).read_bytes())
    whole[-1] ^= 1
    (saved / store.ARRAYS).write_bytes(bytes(whole))
    assert "damaged network" in refused(saved)


@pytest.mark.parametrize(
    "nodes",
    [
        None,
        [{"type": "Conv"}],
        [{"type": "Nonsense", "name": "a"}],
        [{"type": "Head", "name": "a", "inputs": [], "extra": 1}],
        [3],
    ],
)
def test_refuses_edited_graphs(saved: Path, nodes: object) -> None:
    edit(saved, nodes=nodes)
    refused(saved)


def stepped(weights: list[list[int]], step: int, kind: str = "add", bits: int = 4) -> Network:
    nodes = [
        replace(n, kind=kind, bits=bits, step=step, weights=np.array(weights))
        if isinstance(n, Dense)
        else n
        for n in network()
    ]
    return Network(tuple(nodes), ("no", "yes"))


def test_a_step_is_kept_and_files_without_one_are_as_before(tmp_path: Path) -> None:
    made = stepped([[-64, 56], [8, 0]], 3)
    path = store.save(made, tmp_path / "a.net")
    dense = store.load(path)["d"]
    assert isinstance(dense, Dense)
    assert (dense.step, dense.weights.tolist()) == (3, [[-64, 56], [8, 0]])
    plain = store.save(stepped([[-8, 7], [1, 0]], 0), tmp_path / "b.net")
    assert "step" not in (plain / store.GRAPH).read_text()
    assert store.content_hash(made) != store.content_hash(stepped([[-64, 56], [8, 0]], 0, bits=8))


def test_refuses_another_step_than_was_hashed(tmp_path: Path) -> None:
    path = store.save(stepped([[-64, 56], [8, 0]], 3), tmp_path / "a.net")
    nodes = json.loads((path / store.GRAPH).read_text())["nodes"]
    for step, words in ((2, "damaged network"), (True, "Expected int"), (None, "Expected int")):
        nodes[1]["step"] = step
        edit(path, nodes=nodes)
        assert words in refused(path)
    del nodes[1]["step"]
    edit(path, nodes=nodes)
    assert "damaged network" in refused(path)


@pytest.mark.parametrize(
    ("weights", "step", "kind", "message"),
    [
        ([[8, 4], [0, 0]], 3, "add", "d: weight 4 at [0, 1]: 4-bit add weights are integers from "
         "-8 to 7, times 2^3"),
        ([[64, 8], [0, 0]], 3, "add", "d: weight 64 at [0, 0]: 4-bit add weights are integers from "
         "-8 to 7, times 2^3"),
        ([[0, 0], [0, 0]], 8, "add", "d: step 8 must be 0 to 7"),
        ([[0, 0], [0, 0]], -1, "add", "d: step -1 must be 0 to 7"),
        ([[2, 0], [0, 0]], 1, "mult", "d: step 1 must be 0, as mult weights have no step"),
    ],
)  # fmt: skip
def test_refuses_weights_that_are_no_multiples_of_the_step(
    weights: list[list[int]], step: int, kind: str, message: str
) -> None:
    with pytest.raises(NetworkError) as error:
        check(stepped(weights, step, kind))
    assert str(error.value) == message


def test_refuses_a_broken_graph_even_with_its_hash(tmp_path: Path) -> None:
    broken = replace(network(), classes=("one",))
    with pytest.raises(NetworkError, match="must match"):
        store.save(broken, tmp_path / "b.net")
    assert not list(tmp_path.iterdir())
