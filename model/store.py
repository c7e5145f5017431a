"""A Network on disk: a folder with `network.json` and `weights.safetensors`.

The content hash covers format version, nodes, classes and every array, not `about`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_arrays

from model import records, temporary
from model.files import replace_folder, write
from model.records import Digest, FileHead, brief
from model.spec import NODE_TYPES, Format, Network, NetworkError, Node, check
from model.tensors import tensors

FORMAT = "shiftadd-network"
VERSION = 1
LATER = {"step"}
"""Fields of nodes that were added since: files and hashes have them where they are no default, so
that those of networks of before are the same."""
GRAPH, ARRAYS = "network.json", "weights.safetensors"
INSIDE = "network"
"""The folder of a network in that of its training."""
WAY_OUT = "copy or train it again"


@dataclass(frozen=True)
class _Graph:
    """network.json; a node has its fields and `type`, arrays only their shape."""

    hash: Digest
    classes: tuple[str, ...]
    nodes: tuple[dict[str, Any], ...]
    about: dict[str, Any]


def content_hash(network: Network) -> str:
    """sha256 (hex) over the canonical JSON of the graph and the bytes of its arrays."""
    graph, arrays = _encode(network)
    digest = hashlib.sha256(json.dumps([VERSION, graph], sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name], "<i8").tobytes())
    return digest.hexdigest()


def save(network: Network, path: str | os.PathLike[str]) -> Path:
    """Check `network` and write it to the folder `path`, replacing a network that is there.

    The folder is filled under a temporary name and then renamed. Raises NetworkError for a graph
    that breaks a rule, and for a `path` that exists and is not a network.
    """
    check(network)
    path = Path(path)
    if path.exists() and not (path / GRAPH).is_file():
        raise NetworkError(f"{path}: exists and is not a network folder; choose another name")
    graph, arrays = _encode(network)
    head = {
        "format": FORMAT,
        "version": VERSION,
        "hash": content_hash(network),
        "about": network.about,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.folder(f".{path.name[:80]}", path.parent) as scratch:
        fresh = scratch / "new"
        fresh.mkdir()
        write(fresh / GRAPH, json.dumps(head | graph, indent=1) + "\n")
        write(fresh / ARRAYS, save_arrays({k: _narrow(v) for k, v in arrays.items()}))
        replace_folder(fresh, path)
    return path


def load(path: str | os.PathLike[str]) -> Network:
    """The Network in folder `path`, checked.

    Raises NetworkError in one line when the folder is missing, foreign, newer or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise NetworkError(f"{path}: no such network; `shiftadd train` makes one")
    if not (path / GRAPH).is_file():
        inside = f"; give {path / INSIDE}" if (path / INSIDE / GRAPH).is_file() else ""
        raise NetworkError(
            f"{path}: not a network, which is a folder with {GRAPH} and {ARRAYS}{inside}"
        )
    graph = records.read(
        path / GRAPH, _Graph, error=NetworkError, head=FileHead(FORMAT, VERSION), way_out=WAY_OUT
    )
    network = _decode(graph, path)
    digest = content_hash(network)
    if digest != graph.hash:
        raise NetworkError(
            f"{path}: damaged network (its hash is {digest[:12]}, the file says "
            f"{graph.hash[:12]}); {WAY_OUT}"
        )
    check(network)
    return network


def _encode(network: Network) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The graph as plain JSON values, and its arrays by `node.field`."""
    arrays: dict[str, np.ndarray] = {}
    nodes = []
    for node in network:
        row: dict[str, Any] = {"type": type(node).__name__}
        for f in fields(node):
            value = getattr(node, f.name)
            if f.name in LATER and value == f.default:
                continue
            if isinstance(value, np.ndarray):
                arrays[f"{node.name}.{f.name}"] = value
                value = {"array": list(value.shape)}
            elif isinstance(value, Format):
                value = {"bits": value.bits, "signed": value.signed, "frac": value.frac}
            row[f.name] = list(value) if isinstance(value, tuple) else value
        nodes.append(row)
    return {"classes": list(network.classes), "nodes": nodes}, arrays


def _decode(graph: _Graph, path: Path) -> Network:
    arrays = tensors(path / ARRAYS, error=NetworkError, way_out=WAY_OUT)
    nodes: list[Node] = []
    for index, row in enumerate(graph.nodes):
        where = f"{path / GRAPH}: node {index}"
        made = NODE_TYPES.get(str(row.get("type")))
        if made is None:
            raise NetworkError(
                f"{where}: unknown node type {brief(row.get('type'))}: known are "
                f"{', '.join(NODE_TYPES)}"
            )
        values = {
            key: _array(f"{row.get('name')}.{key}", value, arrays, where)
            for key, value in row.items()
            if key != "type"
        }
        nodes.append(
            records.convert(
                values,
                made,
                source=where,
                error=NetworkError,
                way_out=WAY_OUT,
                beside=(np.ndarray,),
            )
        )
    if arrays:
        raise NetworkError(
            f"{path / ARRAYS}: unknown array {brief(min(arrays))}, of no node; {WAY_OUT}"
        )
    return Network(tuple(nodes), graph.classes, graph.about)


def _array(name: str, value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    """The array that `value` stands for, taken out of `arrays`; `value` itself if it is none."""
    if not isinstance(value, dict) or list(value) != ["array"]:
        return value
    array = arrays.pop(name, None)
    if array is None or list(array.shape) != value["array"]:
        there = "missing" if array is None else f"of shape {list(array.shape)}"
        raise NetworkError(
            f"{where}: {brief(name)} is {there} in {ARRAYS}, the graph says "
            f"{brief(value['array'])}; {WAY_OUT}"
        )
    return array


def _narrow(array: np.ndarray) -> np.ndarray:
    """The same integers in the narrowest signed type, so that files stay small."""
    lo, hi = (int(array.min()), int(array.max())) if array.size else (0, 0)
    wide = next(
        t
        for t in (np.int8, np.int16, np.int32, np.int64)
        if np.iinfo(t).min <= lo and hi <= np.iinfo(t).max
    )
    return np.ascontiguousarray(array, wide)
