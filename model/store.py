"""A Network on disk: a folder with `network.json` and `weights.safetensors`.

The content hash covers format version, nodes, classes and every array, not `about`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from model import temporary
from model.errors import UNREADABLE
from model.files import replace_folder, write
from model.spec import NODE_TYPES, Format, Network, NetworkError, Node, check

FORMAT = "shiftadd-network"
VERSION = 1
GRAPH, ARRAYS = "network.json", "weights.safetensors"


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
    head = _read_graph(path)
    try:
        arrays = load_arrays((path / ARRAYS).read_bytes())
        network = _decode(head, arrays)
        digest = content_hash(network)
    except NetworkError:
        raise
    except (SafetensorError, *UNREADABLE) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NetworkError(f"{path}: damaged network ({reason}); copy or train it again") from None
    if digest != head.get("hash"):
        raise NetworkError(
            f"{path}: damaged network (its hash is {digest[:12]}, the file says "
            f"{str(head.get('hash'))[:12]}); copy or train it again"
        )
    check(network)
    return network


def _read_graph(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise NetworkError(f"{path}: no such network; `shiftadd train` makes one")
    if not (path / GRAPH).is_file():
        raise NetworkError(f"{path}: not a network, which is a folder with {GRAPH} and {ARRAYS}")
    try:
        head = json.loads((path / GRAPH).read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise NetworkError(f"{path}: damaged {GRAPH} ({error}); copy or train it again") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise NetworkError(f"{path}: {GRAPH} is not of format {FORMAT!r}")
    version = head.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise NetworkError(
            f"{path}: format version {version!r} is newer than {VERSION}, the newest known here; "
            "update shiftadd"
        )
    return head


def _encode(network: Network) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The graph as plain JSON values, and its arrays by `node.field`."""
    arrays: dict[str, np.ndarray] = {}
    nodes = []
    for node in network:
        row: dict[str, Any] = {"type": type(node).__name__}
        for f in fields(node):
            value = getattr(node, f.name)
            if isinstance(value, np.ndarray):
                arrays[f"{node.name}.{f.name}"] = value
                value = {"array": list(value.shape)}
            elif isinstance(value, Format):
                value = {"bits": value.bits, "signed": value.signed, "frac": value.frac}
            row[f.name] = list(value) if isinstance(value, tuple) else value
        nodes.append(row)
    return {"classes": list(network.classes), "nodes": nodes}, arrays


def _decode(graph: dict[str, Any], arrays: dict[str, np.ndarray]) -> Network:
    nodes: list[Node] = []
    for row in graph["nodes"]:
        made = NODE_TYPES.get(row["type"])
        if made is None:
            raise NetworkError(
                f"unknown node type {row['type']!r}: known are {', '.join(NODE_TYPES)}"
            )
        values = {
            key: _value(f"{row['name']}.{key}", v, arrays)
            for key, v in row.items()
            if key != "type"
        }
        nodes.append(made(**values))
    return Network(tuple(nodes), tuple(graph["classes"]), dict(graph.get("about", {})))


def _value(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    match value:
        case {"array": shape}:
            if list(arrays[name].shape) != shape:
                raise ValueError(f"{name} is {arrays[name].shape}, the graph says {shape}")
            return arrays[name].astype(np.int64)
        case {"bits": bits, "signed": signed, "frac": frac}:
            return Format(bits, signed, frac)
        case list():
            return tuple(value)
    return value


def _narrow(array: np.ndarray) -> np.ndarray:
    """The same integers in the narrowest signed type, so that files stay small."""
    lo, hi = (int(array.min()), int(array.max())) if array.size else (0, 0)
    wide = next(
        t
        for t in (np.int8, np.int16, np.int32, np.int64)
        if np.iinfo(t).min <= lo and hi <= np.iinfo(t).max
    )
    return np.ascontiguousarray(array, wide)
